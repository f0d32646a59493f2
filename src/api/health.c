/*
 * GET /health, /livez, /readyz, /version. Answered from counters that the engine publishes: never waits for a step.
 */
#include <inttypes.h>

#include "api/route.h"
#include "base/clock.h"

/* A step takes seconds at most, even with the largest models on the slowest machines. */
static const uint64_t stuck_ns = UINT64_C(60) * 1000 * 1000 * 1000;

static int check_alive(gol_api *api, gol_api_error *error)
{
    gol_engine_stats stats;
    gol_engine_get_stats(api->engine, &stats);
    if (stats.n_running + stats.n_waiting == 0)
        return 0;
    /* After an idle hour the last step is old and nothing is wrong: what counts is for how long there has been work. */
    const uint64_t busy_since = atomic_load(&api->busy_since_ns);
    const uint64_t since = stats.last_step_ns > busy_since ? stats.last_step_ns : busy_since;
    const uint64_t now = gol_clock_ns();
    if (now <= since || now - since <= stuck_ns)
        return 0;
    return gol_api_refuse(error, 503, "engine_stuck", NULL,
                          "the engine has %d running and %d waiting requests, but made no step for "
                          "%" PRIu64 " s",
                          stats.n_running, stats.n_waiting, (now - since) / 1000000000);
}

static int check_ready(gol_api *api, gol_api_error *error)
{
    if (!atomic_load(&api->is_draining))
        return 0;
    return gol_api_refuse(error, 503, "shutting_down", NULL,
                          "the server is draining: it finishes what it has and takes no more");
}

static int reply_ok(gol_api_call *call)
{
    gol_buf_puts(&call->body, "{\"status\":\"ok\"}");
    gol_call_reply_json(call, 200);
    return 0;
}

int gol_livez_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    const int rc = check_alive(call->api, error);
    return rc != 0 ? rc : reply_ok(call);
}

int gol_readyz_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    const int rc = check_ready(call->api, error);
    return rc != 0 ? rc : reply_ok(call);
}

int gol_health_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    int rc = check_ready(call->api, error);
    if (rc == 0)
        rc = check_alive(call->api, error);
    return rc != 0 ? rc : reply_ok(call);
}

int gol_version_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    (void)error;
    gol_json j;
    gol_json_init(&j, &call->body);
    gol_json_begin_object(&j);
    gol_json_put_cstr(&j, "version", GOL_VERSION);
    gol_json_end_object(&j);
    gol_call_reply_json(call, 200);
    return 0;
}
