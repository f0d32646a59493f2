/*
 * The header before everything else, defaults, and the layout that programs have been built against: a field that moves is a
 * broken program. Offsets are those of 64-bit systems; new fields go to the end and get a line here.
 */
#include "gollum.h"

#include "unit/lib/lib_test.h"

#include <assert.h>

#define AT(type, field, offset)                                                                    \
    static_assert(sizeof(void *) != 8 || offsetof(type, field) == (offset), #type "." #field)

AT(gollum_error, code, 0);
AT(gollum_error, exit_code, 4);
AT(gollum_error, message, 8);
static_assert(sizeof(gollum_error) == 520, "has no struct_size, so it can never grow");

AT(gollum_options, model_path, 8);
AT(gollum_options, n_threads, 16);
AT(gollum_options, max_model_len, 20);
AT(gollum_options, max_seqs, 24);
AT(gollum_options, max_batch_tokens, 28);
AT(gollum_options, max_queued_reqs, 32);
AT(gollum_options, kv_bytes, 40);
AT(gollum_options, kv_type, 48);
AT(gollum_options, log, 56);
AT(gollum_options, log_user, 64);
AT(gollum_options, progress, 72);
AT(gollum_options, progress_user, 80);
AT(gollum_options, memory, 88);
AT(gollum_options, is_reranker, 96);

AT(gollum_event, id, 8);
AT(gollum_event, token, 16);
AT(gollum_event, logprob, 20);
AT(gollum_event, text, 24);
AT(gollum_event, text_len, 32);
AT(gollum_event, finish, 40);
AT(gollum_event, n_prompt, 44);
AT(gollum_event, n_generated, 48);
AT(gollum_event, user, 56);
AT(gollum_event, prompt_scores, 64);
AT(gollum_event, prompt_top, 72);
AT(gollum_event, n_prompt_scores, 80);
AT(gollum_event, n_prompt_top, 84);
AT(gollum_event, n_cached, 88);

static_assert(sizeof(gollum_prompt_score) == 8, "stands in arrays, so it can never grow");
static_assert(sizeof(gollum_top_logprob) == 8, "stands in arrays, so it can never grow");

AT(gollum_request, prompt, 8);
AT(gollum_request, prompt_len, 16);
AT(gollum_request, prompt_ids, 24);
AT(gollum_request, n_prompt_ids, 32);
AT(gollum_request, max_tokens, 40);
AT(gollum_request, ignore_eos, 44);
AT(gollum_request, parse_special, 48);
AT(gollum_request, temperature, 52);
AT(gollum_request, top_p, 56);
AT(gollum_request, min_p, 60);
AT(gollum_request, top_k, 64);
AT(gollum_request, repetition_penalty, 68);
AT(gollum_request, presence_penalty, 72);
AT(gollum_request, frequency_penalty, 76);
AT(gollum_request, seed, 80);
AT(gollum_request, has_seed, 88);
AT(gollum_request, stop, 96);
AT(gollum_request, n_stop, 104);
AT(gollum_request, on_event, 112);
AT(gollum_request, user, 120);
AT(gollum_request, repeat_last_n, 128);
AT(gollum_request, top_n_sigma, 132);
AT(gollum_request, typical_p, 136);
AT(gollum_request, xtc_probability, 140);
AT(gollum_request, xtc_threshold, 144);
AT(gollum_request, dynatemp_range, 148);
AT(gollum_request, dynatemp_exponent, 152);
AT(gollum_request, mirostat, 156);
AT(gollum_request, mirostat_tau, 160);
AT(gollum_request, mirostat_eta, 164);
AT(gollum_request, dry_multiplier, 168);
AT(gollum_request, dry_base, 172);
AT(gollum_request, dry_allowed_length, 176);
AT(gollum_request, dry_penalty_last_n, 180);
AT(gollum_request, dry_breakers, 184);
AT(gollum_request, n_dry_breakers, 192);
AT(gollum_request, temperature_last, 200);
AT(gollum_request, logit_bias, 208);
AT(gollum_request, n_logit_bias, 216);
AT(gollum_request, allowed_ids, 224);
AT(gollum_request, n_allowed_ids, 232);
AT(gollum_request, bad_words, 240);
AT(gollum_request, n_bad_words, 248);
AT(gollum_request, cache_salt, 256);
AT(gollum_request, n_cache_salt, 264);
AT(gollum_request, no_cache, 272);
AT(gollum_request, score_prompt, 276);
AT(gollum_request, n_prompt_top, 280);

static void the_codes_are_what_they_were(void **state)
{
    (void)state;
    assert_int_equal(GOLLUM_EINTERNAL, -1);
    assert_int_equal(GOLLUM_ECLOSED, -15);
    assert_int_equal(GOLLUM_KV_F16, 0);
    assert_int_equal(GOLLUM_KV_F32, 1);
    assert_int_equal(GOLLUM_FINISH_NONE, 0);
    assert_int_equal(GOLLUM_FINISH_STOP, 1);
    assert_int_equal(GOLLUM_FINISH_LENGTH, 2);
    assert_int_equal(GOLLUM_FINISH_ABORT, 3);
    assert_int_equal(GOLLUM_FINISH_ERROR, 4);
}

static void init_sets_every_field_to_its_default(void **state)
{
    (void)state;
    gollum_options options;
    gollum_options no_options;
    memset(&options, 0x5a, sizeof options);
    gollum_options_init(&options);
    memset(&no_options, 0, sizeof no_options);
    no_options.struct_size = sizeof no_options;
    assert_memory_equal(&options, &no_options, offsetof(gollum_options, memory));

    gollum_request request;
    memset(&request, 0x5a, sizeof request);
    gollum_request_init(&request);
    assert_int_equal(request.struct_size, sizeof request);
    assert_true(request.temperature == 1.0f);
    assert_true(request.top_p == 1.0f);
    assert_true(request.min_p == 0.0f);
    assert_int_equal(request.top_k, 0);
    assert_true(request.repetition_penalty == 1.0f);
    assert_true(request.presence_penalty == 0.0f && request.frequency_penalty == 0.0f);
    assert_null(request.prompt);
    assert_null(request.prompt_ids);
    assert_int_equal(request.prompt_len + request.n_prompt_ids + request.n_stop, 0);
    assert_int_equal(request.max_tokens, 0);
    assert_int_equal(request.ignore_eos, 0);
    assert_int_equal(request.parse_special, 0);
    assert_int_equal(request.has_seed, 0);
    assert_null(request.on_event);
    assert_null(request.user);
    assert_int_equal(request.repeat_last_n, -1);
    assert_true(request.top_n_sigma == 0.0f && request.typical_p == 1.0f);
    assert_true(request.xtc_probability == 0.0f && request.xtc_threshold == 0.1f);
    assert_true(request.dynatemp_range == 0.0f && request.dynatemp_exponent == 1.0f);
    assert_int_equal(request.mirostat, 0);
    assert_true(request.mirostat_tau == 5.0f && request.mirostat_eta == 0.1f);
    assert_true(request.dry_multiplier == 0.0f && request.dry_base == 1.75f);
    assert_int_equal(request.dry_allowed_length, 2);
    assert_int_equal(request.dry_penalty_last_n, -1);
    assert_int_equal(request.temperature_last, 0);
    assert_null(request.dry_breakers);
    assert_int_equal(request.n_dry_breakers + request.n_logit_bias + request.n_allowed_ids +
                         request.n_bad_words,
                     0);
    assert_null(request.cache_salt);
    assert_int_equal(request.n_cache_salt, 0);
    assert_int_equal(request.no_cache + request.score_prompt + request.n_prompt_top, 0);

    gollum_event event;
    memset(&event, 0x5a, sizeof event);
    gollum_event_init(&event);
    assert_int_equal(event.struct_size, sizeof event);
    assert_int_equal(event.token, -1);
    assert_int_equal(event.text_len, 0);
    assert_string_equal(event.text, "");
    assert_int_equal(event.finish, GOLLUM_FINISH_NONE);
    assert_null(event.prompt_scores);
    assert_null(event.prompt_top);
    assert_int_equal(event.n_prompt_scores + event.n_prompt_top + event.n_cached, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_are_what_they_were),
        cmocka_unit_test(init_sets_every_field_to_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
