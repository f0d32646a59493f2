/* An engine over a loaded model, and requests to it; what fails fails the test. */
#ifndef TESTS_SUPPORT_LOADED_ENGINE_H
#define TESTS_SUPPORT_LOADED_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "support/loaded_model.h"

static inline gol_engine *loaded_engine_create(const loaded_model *m, const gol_engine_opts *opts)
{
    gol_engine *engine;
    gol_err err = {0};
    if (gol_engine_create(&engine, m->model, opts, &err) != 0)
        fail_msg("%s", err.message);
    return engine;
}

/* Its outputs go to user. Returns its id. */
static inline uint64_t loaded_engine_submit(gol_engine *engine, const gol_request *request,
                                            void *user)
{
    gol_request r = *request;
    r.user = user;
    uint64_t id;
    gol_err err = {0};
    if (gol_engine_submit(engine, &r, &id, &err) != 0)
        fail_msg("%s", err.message);
    return id;
}

#endif
