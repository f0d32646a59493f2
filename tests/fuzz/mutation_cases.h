/*
 * The numbered cases of a mutation test. Case k is a function of k alone; GOLLUM_MUTATIONS=N runs the first N, GOLLUM_MUTATION=K that
 * one alone. A case that computes for too long ends the process and says which it was.
 */
#ifndef TESTS_FUZZ_MUTATION_CASES_H
#define TESTS_FUZZ_MUTATION_CASES_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { MUTATION_SECONDS_MAX = 10 }; /* of the process's own time */

typedef struct mutation_range {
    uint64_t begin;
    uint64_t end;
    bool is_whole; /* all that usually run, or more: how many end in which way can be told */
} mutation_range;

static inline mutation_range mutation_range_find(uint64_t n_usual)
{
    const char *one = getenv("GOLLUM_MUTATION");
    if (one) {
        const uint64_t k = strtoull(one, NULL, 10);
        return (mutation_range){k, k + 1, false};
    }
    const char *wanted = getenv("GOLLUM_MUTATIONS");
    const uint64_t n = wanted ? strtoull(wanted, NULL, 10) : n_usual;
    return (mutation_range){0, n, n >= n_usual};
}

static volatile uint64_t mutation_running;

static inline void mutation_on_alarm(int signal_number)
{
    (void)signal_number;
    char text[96];
    const int n = snprintf(text, sizeof text, "case %llu took over %d s of computing\n",
                           (unsigned long long)mutation_running, MUTATION_SECONDS_MAX);
    (void)!write(STDERR_FILENO, text, (size_t)n);
    _exit(1);
}

/* The clock runs from here to the next case. */
static inline void mutation_begin(uint64_t k)
{
    const struct itimerval limit = {.it_value = {.tv_sec = MUTATION_SECONDS_MAX}};
    mutation_running = k;
    (void)signal(SIGVTALRM, mutation_on_alarm);
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

#endif
