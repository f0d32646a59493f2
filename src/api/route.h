/*
 * An endpoint: const struct in the array of api.c. Its run() makes the reply (gol_call_reply_…), starts a generation that
 * will, or refuses with an error.
 */
#ifndef GOL_API_ROUTE_H
#define GOL_API_ROUTE_H

#include <jansson.h>
#include <stdbool.h>

#include "api/call.h"

typedef int gol_route_run(gol_api_call *call, const json_t *root, gol_api_error *error);

typedef struct gol_route {
    const char
        *method;      /* "GET": HEAD too. "POST": the body is a JSON object, root; NULL otherwise */
    const char *path; /* with a '/' at its end: everything below it, the rest is call->rest */
    bool is_open;     /* needs no key */
    gol_route_run *run;
} gol_route;

gol_route_run gol_completions_run;
gol_route_run gol_chat_run;
gol_route_run gol_models_list;
gol_route_run gol_models_show;
gol_route_run gol_tokenize_run;
gol_route_run gol_detokenize_run;
gol_route_run gol_health_run;
gol_route_run gol_livez_run;
gol_route_run gol_readyz_run;
gol_route_run gol_metrics_run;
gol_route_run gol_version_run;

#endif
