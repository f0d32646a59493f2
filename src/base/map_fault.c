/*
 * The SIGBUS handler: a read of a mapped page that the file no longer has ends the process with a line that says why.
 *
 * The handler runs in any thread at any instruction, so it takes no lock and calls only what POSIX calls
 * async-signal-safe (write, _exit, sigaction, raise). It reads the table while others change it: a slot's version is odd
 * during a change, and a slot is believed only if its version was even and the same before and after reading. A slot that
 * changes meanwhile is not the one being read from: its owner is busy opening or closing it.
 */
#include "base/map_fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mapped_file.h"

enum { EXIT_IO = 74 };

typedef struct map_slot {
    _Atomic bool is_taken; /* who may change the slot */
    _Atomic uint32_t version;
    _Atomic uintptr_t begin; /* [begin, end), empty when the slot is free */
    _Atomic uintptr_t end;
    _Atomic(const char *) path;
} map_slot;

static map_slot slots[GOL_MAPPED_FILES_MAX];
static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static struct sigaction previous;

static void set_slot(map_slot *slot, uintptr_t begin, uintptr_t end, const char *path)
{
    atomic_fetch_add(&slot->version, 1);
    atomic_store(&slot->begin, begin);
    atomic_store(&slot->end, end);
    atomic_store(&slot->path, path);
    atomic_fetch_add(&slot->version, 1);
}

/* The name of the file mapped at the address, or NULL. */
static const char *find_path(uintptr_t address)
{
    for (size_t i = 0; i < GOL_MAPPED_FILES_MAX; i++) {
        map_slot *slot = &slots[i];
        const uint32_t version = atomic_load(&slot->version);
        const uintptr_t begin = atomic_load(&slot->begin);
        const uintptr_t end = atomic_load(&slot->end);
        const char *path = atomic_load(&slot->path);
        const bool is_whole = version % 2 == 0 && atomic_load(&slot->version) == version;
        if (is_whole && address >= begin && address < end)
            return path;
    }
    return NULL;
}

static size_t append(char *line, size_t len, size_t size, const char *text)
{
    for (; *text && len < size; text++) {
        const unsigned char byte = (unsigned char)*text;
        line[len++] = byte < 0x20 || byte == 0x7f ? '?'
                                                  : *text; /* a file's name may hold anything */
    }
    return len;
}

static void report_and_exit(const char *path)
{
    char line[1024];
    enum { N_TAIL = 80 }; /* kept free for what follows the name */
    size_t len = append(line, 0, sizeof line, "gollum: ");
    len = append(line, len, sizeof line - N_TAIL, path);
    len = append(line, len, sizeof line - 1,
                 ": was truncated or cannot be read any more while in use");
    line[len++] = '\n';
    static atomic_flag is_reported = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(
        &is_reported)) /* several threads read the same weights: one speaks */
        pause();
    (void)!write(STDERR_FILENO, line, len);
    _exit(EXIT_IO);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    /* si_code <= 0: sent by somebody, not a fault; si_addr means nothing then. */
    const char *path = info->si_code > 0 ? find_path((uintptr_t)info->si_addr) : NULL;
    if (path)
        report_and_exit(path);
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_IGN && info->si_code <= 0) {
        return;
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(number);
    } else {
        const struct sigaction fresh = {.sa_handler = SIG_DFL};
        (void)sigaction(number, &fresh, NULL);
        (void)raise(number); /* blocked here, delivered on return */
    }
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, NULL, &previous); /* before ours is in force: the handler reads it */
    (void)sigaction(SIGBUS, &action, NULL);
}

int gol_map_fault_add(const void *data, size_t n_bytes, const char *path)
{
    pthread_once(&install_once, install);
    for (int i = 0; i < GOL_MAPPED_FILES_MAX; i++) {
        bool is_taken = false;
        if (!atomic_compare_exchange_strong(&slots[i].is_taken, &is_taken, true))
            continue;
        const uintptr_t begin = (uintptr_t)data;
        set_slot(&slots[i], begin, begin + n_bytes, path);
        return i;
    }
    return -1;
}

void gol_map_fault_remove(int slot)
{
    set_slot(&slots[slot], 0, 0, NULL);
    atomic_store(&slots[slot].is_taken, false);
}
