/*
 * POST /tokenize and /detokenize in two dialects, told apart by the key that is there: vLLM's "prompt" or "messages" and
 * llama.cpp's "content". Both detokenize "tokens"; the answer carries the text under both names.
 */
#include <stdio.h>

#include "api/messages.h"
#include "api/prompts.h"
#include "api/request_json.h"
#include "api/route.h"
#include "text/utf8.h"

enum { TEXT_MAX = 64 << 20 };

/* An optional boolean field. */
static int read_flag(const json_t *root, const char *name, bool *value, gol_api_error *error)
{
    const json_t *field = json_object_get(root, name);
    if (!field || json_is_null(field))
        return 0;
    char found[80];
    if (!json_is_boolean(field))
        return gol_api_refuse(error, 400, "invalid_type", name, "%s is %s; accepted: true or false",
                              name, gol_request_json_describe(found, sizeof found, field));
    *value = json_is_true(field);
    return 0;
}

static int encode(const gol_api *api, gol_ids *ids, gol_str text, unsigned flags, const char *param,
                  gol_api_error *error)
{
    gol_err err = {0};
    if (gol_tokenizer_encode(api->tok, ids, text, flags, &err) != 0)
        return gol_api_refuse_err(error, param, &err);
    return 0;
}

/* {"count","max_model_len","tokens","token_strs"} */
static void reply_vllm(gol_api_call *call, const gol_ids *ids, bool with_strings)
{
    const gol_api *api = call->api;
    gol_json j;
    gol_json_init(&j, &call->body);
    gol_json_begin_object(&j);
    gol_json_put_uint(&j, "count", ids->n);
    gol_json_put_int(&j, "max_model_len", gol_engine_get_limits(api->engine)->max_model_len);
    gol_json_key(&j, "tokens");
    gol_json_begin_array(&j);
    for (size_t i = 0; i < ids->n; i++)
        gol_json_int(&j, ids->data[i]);
    gol_json_end_array(&j);
    gol_json_key(&j, "token_strs");
    if (with_strings) {
        gol_json_begin_array(&j);
        for (size_t i = 0; i < ids->n; i++)
            gol_json_string(&j, gol_tokenizer_piece(api->tok, ids->data[i]));
        gol_json_end_array(&j);
    } else {
        gol_json_null(&j);
    }
    gol_json_end_object(&j);
    gol_call_reply_json(call, 200);
}

static int tokenize_text(gol_api_call *call, const json_t *root, const json_t *prompt,
                         gol_api_error *error)
{
    char found[80];
    bool add_special = true;
    bool with_strings = false;
    if (!json_is_string(prompt))
        return gol_api_refuse(error, 400, "invalid_type", "prompt",
                              "prompt is %s; accepted: a string",
                              gol_request_json_describe(found, sizeof found, prompt));
    int rc = read_flag(root, "add_special_tokens", &add_special, error);
    if (rc == 0)
        rc = read_flag(root, "return_token_strs", &with_strings, error);
    if (rc != 0)
        return rc;
    gol_ids ids = {0};
    const unsigned flags = GOL_ENCODE_PARSE_SPECIAL | (add_special ? GOL_ENCODE_ADD_SPECIAL : 0u);
    rc = encode(call->api, &ids, gol_request_json_str(prompt), flags, "prompt", error);
    if (rc == 0)
        reply_vllm(call, &ids, with_strings);
    gol_ids_deinit(&ids);
    return rc;
}

/* The ids that /v1/chat/completions would give the model. */
static int tokenize_messages(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    bool add_special = true;
    bool with_strings = false;
    int rc = read_flag(root, "add_special_tokens", &add_special, error);
    if (rc == 0)
        rc = read_flag(root, "return_token_strs", &with_strings, error);
    if (rc != 0)
        return rc;
    gol_chat_prompt chat;
    gol_ids ids = {0};
    rc = gol_messages_render(&chat, &call->api->chat, &call->arena, root, error);
    if (!add_special)
        chat.flags &= ~(unsigned)GOL_ENCODE_ADD_SPECIAL;
    if (rc == 0)
        rc = encode(call->api, &ids, gol_buf_view(&chat.text), chat.flags, "messages", error);
    if (rc == 0)
        reply_vllm(call, &ids, with_strings);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&chat.text);
    return rc;
}

/* {"id","piece"}; a piece that is no UTF-8 is an array of its bytes. */
static void put_with_piece(gol_json *j, const gol_tokenizer *tok, int32_t id)
{
    const gol_str piece = gol_tokenizer_piece(tok, id);
    gol_json_begin_object(j);
    gol_json_put_int(j, "id", id);
    gol_json_key(j, "piece");
    if (gol_utf8_is_valid(piece)) {
        gol_json_string(j, piece);
    } else {
        gol_json_begin_array(j);
        for (size_t i = 0; i < piece.len; i++)
            gol_json_int(j, (unsigned char)piece.data[i]);
        gol_json_end_array(j);
    }
    gol_json_end_object(j);
}

static void reply_llama(gol_api_call *call, const gol_ids *ids, bool with_pieces)
{
    gol_json j;
    gol_json_init(&j, &call->body);
    gol_json_begin_object(&j);
    gol_json_key(&j, "tokens");
    gol_json_begin_array(&j);
    for (size_t i = 0; i < ids->n; i++) {
        if (with_pieces)
            put_with_piece(&j, call->api->tok, ids->data[i]);
        else
            gol_json_int(&j, ids->data[i]);
    }
    gol_json_end_array(&j);
    gol_json_end_object(&j);
    gol_call_reply_json(call, 200);
}

static int tokenize_content(gol_api_call *call, const json_t *root, const json_t *content,
                            gol_api_error *error)
{
    char found[80];
    bool add_special = false;
    bool parse_special = true;
    bool with_pieces = false;
    if (!json_is_string(content))
        return gol_api_refuse(error, 400, "invalid_type", "content",
                              "content is %s; accepted: a string",
                              gol_request_json_describe(found, sizeof found, content));
    int rc = read_flag(root, "add_special", &add_special, error);
    if (rc == 0)
        rc = read_flag(root, "parse_special", &parse_special, error);
    if (rc == 0)
        rc = read_flag(root, "with_pieces", &with_pieces, error);
    if (rc != 0)
        return rc;
    gol_ids ids = {0};
    const unsigned flags = (add_special ? GOL_ENCODE_ADD_SPECIAL : 0u) |
                           (parse_special ? GOL_ENCODE_PARSE_SPECIAL : 0u);
    rc = encode(call->api, &ids, gol_request_json_str(content), flags, "content", error);
    if (rc == 0)
        reply_llama(call, &ids, with_pieces);
    gol_ids_deinit(&ids);
    return rc;
}

int gol_tokenize_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    const json_t *prompt = json_object_get(root, "prompt");
    const json_t *messages = json_object_get(root, "messages");
    const json_t *content = json_object_get(root, "content");
    if ((prompt != NULL) + (messages != NULL) + (content != NULL) != 1)
        return gol_api_refuse(error, 400, "missing_required_parameter", "prompt",
                              "exactly one of prompt, messages and content is needed");
    if (prompt)
        return tokenize_text(call, root, prompt, error);
    if (messages)
        return tokenize_messages(call, root, error);
    return tokenize_content(call, root, content, error);
}

static int read_tokens(const gol_api *api, gol_ids *ids, const json_t *tokens, gol_api_error *error)
{
    char found[80];
    if (!json_is_array(tokens))
        return gol_api_refuse(error, 400, tokens ? "invalid_type" : "missing_required_parameter",
                              "tokens", "tokens is %s; accepted: an array of token ids",
                              tokens ? gol_request_json_describe(found, sizeof found, tokens)
                                     : "missing");
    const int32_t n_vocab = gol_tokenizer_n_vocab(api->tok);
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *item = json_array_get(tokens, i);
        const int64_t id = gol_request_json_id(item);
        if (id < 0 || id >= n_vocab)
            return gol_api_refuse(error, 400, "invalid_value", "tokens",
                                  "tokens[%zu] is %s; accepted: a token id from 0 to %d", i,
                                  gol_request_json_describe(found, sizeof found, item),
                                  n_vocab - 1);
        if (gol_ids_push(ids, (int32_t)id) != 0) {
            gol_api_refuse(error, 503, "out_of_memory", NULL, "out of memory");
            return GOL_ENOMEM;
        }
    }
    return 0;
}

int gol_detokenize_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    gol_ids ids = {0};
    gol_buf text;
    gol_buf_init(&text, TEXT_MAX);
    gol_err err = {0};
    int rc = read_tokens(call->api, &ids, json_object_get(root, "tokens"), error);
    if (rc == 0 && gol_tokenizer_decode(call->api->tok, &text, ids.data, ids.n, false, &err) != 0)
        rc = gol_api_refuse_err(error, "tokens", &err);
    if (rc == 0 && text.failed) {
        gol_api_refuse(error, 503, "out_of_memory", NULL, "out of memory");
        rc = GOL_ENOMEM;
    }
    if (rc == 0) {
        gol_json j;
        gol_json_init(&j, &call->body);
        gol_json_begin_object(&j);
        gol_json_put_string(&j, "prompt", gol_buf_view(&text));
        gol_json_put_string(&j, "content", gol_buf_view(&text));
        gol_json_end_object(&j);
        gol_call_reply_json(call, 200);
    }
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    return rc;
}
