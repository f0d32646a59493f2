/*
 * GET /v1/models and /v1/models/{id}: the one model there is. Ids may contain '/'.
 */
#include "api/route.h"

static void put_model(gol_json *j, const gol_api *api)
{
    const gol_model *model = gol_engine_model(api->engine);
    const gol_config *config = gol_model_config(model);
    gol_json_begin_object(j);
    gol_json_put_cstr(j, "id", api->model_id);
    gol_json_put_cstr(j, "object", "model");
    gol_json_put_int(j, "created", api->created);
    gol_json_put_cstr(j, "owned_by", "gollum");
    gol_json_put_cstr(j, "root", api->model_path ? api->model_path : api->model_id);
    gol_json_put_null(j, "parent");
    gol_json_put_int(j, "max_model_len", gol_engine_get_limits(api->engine)->max_model_len);
    gol_json_key(j, "meta");
    gol_json_begin_object(j);
    gol_json_put_int(j, "n_vocab", config->n_vocab);
    gol_json_put_int(j, "n_ctx_train", config->n_ctx_train);
    gol_json_put_int(j, "n_embd", config->n_embd);
    gol_json_put_uint(j, "n_params", gol_model_n_params(model));
    gol_json_put_uint(j, "size", gol_model_n_bytes(model));
    gol_json_end_object(j);
    gol_json_end_object(j);
}

int gol_models_list(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    (void)error;
    gol_json j;
    gol_json_init(&j, &call->body);
    gol_json_begin_object(&j);
    gol_json_put_cstr(&j, "object", "list");
    gol_json_key(&j, "data");
    gol_json_begin_array(&j);
    put_model(&j, call->api);
    gol_json_end_array(&j);
    gol_json_end_object(&j);
    gol_call_reply_json(call, 200);
    return 0;
}

int gol_models_show(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    if (!gol_str_is(call->rest, call->api->model_id)) {
        char found[80];
        gol_quote(found, sizeof found, call->rest);
        return gol_api_refuse(error, 404, "model_not_found", "model",
                              "The model '%s' does not exist; this server has '%s'", found,
                              call->api->model_id);
    }
    gol_json j;
    gol_json_init(&j, &call->body);
    put_model(&j, call->api);
    gol_call_reply_json(call, 200);
    return 0;
}
