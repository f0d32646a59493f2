/*
 * For behaviour that ends the process or goes to stderr: runs a function in a forked child whose stderr is a pipe, and
 * tells how it ended and what it said.
 */
#ifndef TESTS_UNIT_BASE_CHILD_H
#define TESTS_UNIT_BASE_CHILD_H

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct child_result {
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when it exited */
    size_t n_said;
    char said[1 << 16]; /* NUL-terminated, the rest is thrown away */
} child_result;

typedef void child_work(void *arg);

/* A child that returns from work() exits with 0. False when the system gives no child. */
static inline bool child_run(child_result *result, child_work *work, void *arg)
{
    int ends[2];
    memset(result, 0, sizeof *result);
    if (pipe(ends) != 0)
        return false;
    const pid_t pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        work(arg);
        _exit(0);
    }
    close(ends[1]);
    char piece[4096];
    ssize_t n = read(ends[0], piece, sizeof piece);
    while (n > 0) {
        const size_t n_room = sizeof result->said - 1 - result->n_said;
        const size_t n_kept = (size_t)n < n_room ? (size_t)n : n_room;
        memcpy(result->said + result->n_said, piece, n_kept);
        result->n_said += n_kept;
        n = read(ends[0], piece, sizeof piece);
    }
    close(ends[0]);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        return false;
    result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return true;
}

#endif
