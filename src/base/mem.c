/*
 * Every allocation of the program, over malloc: the two families of mem.h, the failure switch for tests and the guard of
 * places that must not allocate.
 *
 * State: one process-wide countdown and one watcher (both atomic), and one flag per thread. With all of them off, a call costs two
 * relaxed loads and one thread-local read more than malloc.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20, /* x86-64 and arm64 with 4 KiB pages */
    /* Below, the rounding to whole huge pages would waste more than the TLB gains. */
    HUGE_REQUEST_MIN = 4 << 20,
};

/* Calls still to succeed plus one; 0 = off. */
static _Atomic uint64_t fail_countdown;
static _Atomic bool fail_persistent;
static _Atomic uint64_t n_failed;

static _Thread_local bool is_forbidden;
static _Atomic uint64_t n_forbidden;

void gol_mem_fail_nth(uint64_t n, bool persistent)
{
    atomic_store(&fail_countdown, 0); /* off while the rest changes */
    atomic_store(&fail_persistent, persistent);
    atomic_store(&n_failed, 0);
    atomic_store(&fail_countdown, n);
}

uint64_t gol_mem_n_failed(void)
{
    return atomic_load(&n_failed);
}

/* True when this call is chosen to fail. */
static bool take_failure(void)
{
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    while (left != 0) {
        const bool is_last = left == 1;
        const uint64_t next = is_last && atomic_load(&fail_persistent) ? 1 : left - 1;
        if (atomic_compare_exchange_weak(&fail_countdown, &left, next)) {
            if (is_last)
                atomic_fetch_add(&n_failed, 1);
            return is_last;
        }
    }
    return false;
}

static _Atomic(gol_mem_watcher *) watcher;

void gol_mem_watch(gol_mem_watcher *w)
{
    atomic_store(&watcher, w);
}

/* Passes p through. */
static void *note(void *p, size_t n_bytes)
{
    gol_mem_watcher *w = atomic_load_explicit(&watcher, memory_order_relaxed);
    if (w && p)
        w(p, n_bytes);
    return p;
}

void gol_mem_forbid(bool forbidden)
{
    is_forbidden = forbidden;
}

uint64_t gol_mem_n_forbidden(void)
{
    return atomic_load(&n_forbidden);
}

#if defined(GOL_DEBUG)
static void report_forbidden(const char *what)
{
    fprintf(stderr, "gollum: %s in a place that must not touch the heap\n", what);
    abort();
}
#else
static void report_forbidden(const char *what)
{
    (void)what;
    atomic_fetch_add_explicit(&n_forbidden, 1, memory_order_relaxed);
}
#endif

static void check_allowed(const char *what)
{
    if (is_forbidden)
        report_forbidden(what);
}

/* PTRDIFF_MAX is the largest object that C can index; malloc refuses more anyway, sanitizers would stop the program. */
static bool is_allocatable(size_t n_bytes)
{
    return n_bytes <= PTRDIFF_MAX - (size_t)HUGE_PAGE;
}

static size_t at_least_one(size_t n_bytes)
{
    return n_bytes == 0 ? 1 : n_bytes;
}

void *gol_try_alloc(size_t n_bytes)
{
    check_allowed("allocation");
    if (take_failure() || !is_allocatable(n_bytes))
        return NULL;
    return note(malloc(at_least_one(n_bytes)), n_bytes);
}

void *gol_try_calloc(size_t n, size_t size)
{
    check_allowed("allocation");
    size_t n_bytes;
    if (take_failure() || !gol_mul_size(&n_bytes, n, size) || !is_allocatable(n_bytes))
        return NULL;
    return note(calloc(at_least_one(n_bytes), 1), n_bytes);
}

void *gol_try_array(size_t n, size_t size)
{
    size_t n_bytes;
    gol_mul_size(&n_bytes, n, size); /* SIZE_MAX on overflow, which is refused below */
    return gol_try_alloc(n_bytes);
}

/* realloc(). The old block is noted as gone before another thread can be given its address. */
static void *resize(void *p, size_t n_bytes)
{
    const uintptr_t old = (uintptr_t)p;
    note(p, 0);
    void *moved = realloc(p, at_least_one(n_bytes));
    note(moved ? moved : (void *)old, n_bytes);
    return moved;
}

void *gol_try_realloc(void *p, size_t n, size_t size)
{
    check_allowed("allocation");
    size_t n_bytes;
    if (take_failure() || !gol_mul_size(&n_bytes, n, size) || !is_allocatable(n_bytes))
        return NULL;
    return resize(p, n_bytes);
}

char *gol_try_strndup(gol_str s)
{
    size_t n_bytes;
    gol_add_size(&n_bytes, s.len, 1);
    char *copy = gol_try_alloc(n_bytes);
    if (!copy)
        return NULL;
    if (s.len != 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}

void gol_free(void *p)
{
    if (!p)
        return;
    check_allowed("release");
    note(p, 0);
    free(p);
}

#if defined(MADV_HUGEPAGE)
/* A hint: kernels without transparent huge pages refuse it, and nothing is lost. */
static void ask_huge_pages(void *p, size_t n_bytes)
{
    (void)madvise(p, n_bytes - n_bytes % HUGE_PAGE, MADV_HUGEPAGE);
}
#else
static void ask_huge_pages(void *p, size_t n_bytes)
{
    (void)p;
    (void)n_bytes;
}
#endif

void *gol_try_aligned(size_t n_bytes)
{
    check_allowed("allocation");
    if (take_failure() || !is_allocatable(n_bytes))
        return NULL;
    /* Huge pages exist only for ranges that start on their border. */
    const bool is_huge = n_bytes >= HUGE_REQUEST_MIN;
    void *p = NULL;
    if (posix_memalign(&p, is_huge ? HUGE_PAGE : GOL_MEM_ALIGN, at_least_one(n_bytes)) != 0)
        return NULL;
    if (is_huge)
        ask_huge_pages(p, n_bytes);
    return note(p, n_bytes);
}

void gol_aligned_free(void *p)
{
    gol_free(p);
}

static void *or_die(void *p, size_t n_bytes)
{
    if (!p) {
        fprintf(stderr, "gollum: out of memory (%zu bytes wanted)\n", n_bytes);
        exit(71);
    }
    return p;
}

void *gol_xalloc(size_t n_bytes)
{
    check_allowed("allocation");
    return note(or_die(is_allocatable(n_bytes) ? malloc(at_least_one(n_bytes)) : NULL, n_bytes),
                n_bytes);
}

void *gol_xcalloc(size_t n, size_t size)
{
    check_allowed("allocation");
    size_t n_bytes;
    gol_mul_size(&n_bytes, n, size);
    return note(or_die(is_allocatable(n_bytes) ? calloc(at_least_one(n_bytes), 1) : NULL, n_bytes),
                n_bytes);
}

void *gol_xrealloc(void *p, size_t n_bytes)
{
    check_allowed("allocation");
    return or_die(is_allocatable(n_bytes) ? resize(p, n_bytes) : NULL, n_bytes);
}

char *gol_xstrdup(const char *s)
{
    const size_t n_bytes = strlen(s) + 1;
    return memcpy(gol_xalloc(n_bytes), s, n_bytes);
}

#if defined(GOL_SANITIZED)
/* malloc's contract under the sanitizers too: NULL for an impossible size, not the end of the program. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif
