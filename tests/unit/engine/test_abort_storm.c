/*
 * Ten thousand aborts from four threads at every stage of a request's life: in the inbox, waiting, in the middle of a prompt that
 * is computed in slices, behind a leader that computes the same, after an exact repeat, while decoding, just finished, twice, of
 * others' ids and of ids that nobody has. Bystanders stream all the while. Nobody's answer changes by a bit, each has one last
 * event, and all blocks are free in the end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/known_requests.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { N_ABORTS = 1000 };
#else
enum { N_ABORTS = 10000 };
#endif

enum { N_KNOWN = 100, N_CLIENTS = 4, N_AT_ONCE = 8, BLOCK_SIZE = 4 };

static loaded_model tiny;
static known_request *known; /* [N_KNOWN] */

static int set_up(void **state)
{
    (void)state;
    const tiny_model shape = {.arch = "llama", .type = GOL_TYPE_F32, .seed = 1};
    loaded_model_create_of(&tiny, &shape, false, 1);
    known = known_create(&tiny, N_KNOWN, 77);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    known_destroy(&known, N_KNOWN);
    loaded_model_destroy(&tiny);
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

typedef struct client {
    gol_engine *engine;
    gol_rng rng;
    int n_aborts;
    bool is_bystander; /* aborts nobody */
    /* what came of it */
    const char *wrong;
    int n_ended;
    int n_before_token;
    int n_after_token;
    int n_found; /* aborted with something found in the cache */
} client;

typedef struct stream {
    const known_request *asked; /* NULL: none yet */
    collector got;
    uint64_t id;
} stream;

static void finish(client *c, stream *s)
{
    if (!s->asked)
        return;
    if (!collector_wait_end(&s->got))
        c->wrong = "no end came";
    const char *difference = known_difference(s->asked, &s->got);
    if (difference)
        c->wrong = difference;
    const bool is_aborted = s->got.last.finish == GOL_FINISH_ABORT;
    c->n_ended += !is_aborted;
    c->n_before_token += is_aborted && s->got.n_tokens == 0;
    c->n_after_token += is_aborted && s->got.n_tokens > 0;
    c->n_found += is_aborted && s->got.last.n_cached > 0;
    collector_deinit(&s->got);
    s->asked = NULL;
}

static void begin(client *c, stream *s, bool is_held)
{
    s->asked = &known[known_pick(&c->rng, 0, N_KNOWN - 1)];
    collector_init(&s->got);
    s->got.is_held = is_held;
    gol_request request = s->asked->request;
    request.user = &s->got;
    if (gol_engine_submit(c->engine, &request, &s->id, NULL) != 0)
        c->wrong = "a request is refused";
}

/* However busy the machine is, some are aborted before their first token and some after it: the engine waits in an event of the
 * first until both are told. */
static void abort_with_the_engine_held(client *c, stream *s)
{
    stream held = {0};
    stream unseen = {0};
    begin(c, &held, true);
    collector_wait(&held.got, 1);
    begin(c, &unseen, false);
    gol_engine_abort(c->engine, unseen.id);
    gol_engine_abort(c->engine, held.id);
    gol_engine_abort(c->engine, s->id);
    collector_release(&held.got);
    finish(c, &held);
    finish(c, &unseen);
}

static void abort_at_some_stage(client *c, stream *s)
{
    switch (known_pick(&c->rng, 0, 7)) {
    case 0: /* before its first step */
        break;
    case 1: /* somewhere in its prompt */
    case 2:
        usleep((useconds_t)known_pick(&c->rng, 0, 500));
        break;
    case 3: /* decoding */
        collector_wait(&s->got, 1 + known_pick(&c->rng, 0, 5));
        break;
    case 4: /* just finished */
        collector_wait_end(&s->got);
        break;
    case 5: /* twice */
        gol_engine_abort(c->engine, s->id);
        break;
    case 6: /* while the engine stands still, this one and one that it has not seen yet */
        abort_with_the_engine_held(c, s);
        break;
    default: /* nobody's, or somebody's who is still to come */
        gol_engine_abort(c->engine, gol_rng_next(&c->rng));
        gol_engine_abort(c->engine, 0);
    }
    gol_engine_abort(c->engine, s->id);
}

static void *run_client(void *arg)
{
    client *c = arg;
    stream *streams = calloc(N_AT_ONCE, sizeof *streams);
    for (int i = 0; i < c->n_aborts && !c->wrong; i++) {
        stream *s = &streams[i % N_AT_ONCE];
        finish(c, s);
        begin(c, s, false);
        if (!c->is_bystander)
            abort_at_some_stage(
                c, &streams[known_pick(&c->rng, 0, i < N_AT_ONCE ? i : N_AT_ONCE - 1)]);
    }
    for (int i = 0; i < N_AT_ONCE; i++)
        finish(c, &streams[i]);
    free(streams);
    return NULL;
}

static bool is_all_free(const gol_engine *engine)
{
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    return stats.n_blocks_free == stats.n_blocks && stats.n_running + stats.n_waiting == 0;
}

static void ten_thousand_aborts_change_no_bit_and_leave_nothing(void **state)
{
    (void)state;
    const gol_engine_opts opts = {
        .max_seqs = 6,
        .max_batch_tokens = 16,
        .max_model_len = TINY_CTX,
        .block_size = BLOCK_SIZE,
        .kv_bytes = loaded_kv_bytes(&tiny, 2 * TINY_CTX / BLOCK_SIZE, BLOCK_SIZE),
    };
    gol_engine *engine;
    gol_err err = {0};
    if (gol_engine_create(&engine, tiny.model, &opts, &err) != 0)
        fail_msg("%s", err.message);
    pthread_t threads[N_CLIENTS + 1];
    client clients[N_CLIENTS + 1];
    for (int i = 0; i <= N_CLIENTS; i++) {
        clients[i] = (client){.engine = engine,
                              .rng = {.key = 100 + (uint64_t)i},
                              .n_aborts = N_ABORTS / N_CLIENTS,
                              .is_bystander = i == N_CLIENTS};
        assert_int_equal(pthread_create(&threads[i], NULL, run_client, &clients[i]), 0);
    }
    client sum = {0};
    for (int i = 0; i <= N_CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        if (clients[i].wrong)
            fail_msg("client %d: %s", i, clients[i].wrong);
        sum.n_ended += clients[i].n_ended;
        sum.n_before_token += clients[i].n_before_token;
        sum.n_after_token += clients[i].n_after_token;
        sum.n_found += clients[i].n_found;
    }
    patience p = patience_begin();
    while (!is_all_free(engine) && patience_lasts(&p))
        continue;
    assert_true(is_all_free(engine));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    print_message("%d ended, aborted before their first token %d, after it %d, with a found prompt "
                  "%d; %llu preemptions\n",
                  sum.n_ended, sum.n_before_token, sum.n_after_token, sum.n_found,
                  (unsigned long long)stats.n_preemptions);
    assert_true(sum.n_ended > 0 && sum.n_before_token > 0 && sum.n_after_token > 0);
    assert_true(sum.n_found > 0 && stats.n_exact_hits > 0);
    gol_engine_destroy(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_aborts_change_no_bit_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
