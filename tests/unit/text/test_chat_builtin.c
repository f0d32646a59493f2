/*
 * The built-in chat formats: what each writes, letter by letter, and, where the conformance data is, that the models' own templates
 * write the same; and which one a vocabulary is guessed to want.
 */
#include "unit/text/text_test.h"

#include <stdio.h>

#include "text/chat_builtin.h"
#include "text/chat_template.h"

typedef struct turn {
    const char *role;
    const char *content;
} turn;

/* What a family's template is given; the last row has no role. */
static const turn question[] = {{"user", "Hi"}, {NULL, NULL}};
static const turn turns[] = {
    {"user", "Hi"}, {"assistant", "Hello!"}, {"user", "Bye"}, {NULL, NULL}};
static const turn briefed[] = {{"system", "Be brief."}, {"user", "Hi"}, {NULL, NULL}};
static const turn all[] = {{"system", "Be brief."},
                           {"user", "Hi"},
                           {"assistant", "Hello!"},
                           {"user", "Bye"},
                           {NULL, NULL}};

/* Appends the prompt; the template is the built-in one of this name, or source where that is given. */
static int render(gol_buf *out, const char *name, gol_str source, const turn *talk, bool prompts,
                  gol_err *err)
{
    gol_jinja j;
    gol_jvalue context, messages, message;
    gol_chat_template *chat;
    const gol_chat_choice choice = {.name = name, .source = source};
    gol_jinja_init(&j, NULL);
    assert_int_equal(gol_jdict_create(&j, &context), 0);
    assert_int_equal(gol_jlist_create(&j, &messages, GOL_J_LIST, 4), 0);
    for (; talk->role; talk++) {
        assert_int_equal(gol_jdict_create(&j, &message), 0);
        gol_jdict_set_str(&j, message.dict, GOL_STR("role"),
                          gol_jvalue_str(gol_str_from(talk->role)));
        gol_jdict_set_str(&j, message.dict, GOL_STR("content"),
                          gol_jvalue_str(gol_str_from(talk->content)));
        gol_jlist_push(&j, messages.list, message);
    }
    gol_jdict_set_str(&j, context.dict, GOL_STR("messages"), messages);
    gol_jdict_set_str(&j, context.dict, GOL_STR("bos_token"), gol_jvalue_str(GOL_STR("<s>")));
    gol_jdict_set_str(&j, context.dict, GOL_STR("eos_token"), gol_jvalue_str(GOL_STR("</s>")));
    gol_jdict_set_str(&j, context.dict, GOL_STR("add_generation_prompt"), gol_jvalue_bool(prompts));
    int rc = gol_chat_template_load(&chat, NULL, NULL, &choice, err);
    if (rc == 0)
        rc = gol_chat_template_render(chat, out, &j, &context, false, err);
    gol_chat_template_destroy(&chat);
    gol_jinja_deinit(&j);
    return rc;
}

static void assert_writes(const char *name, const turn *talk, bool prompts, const char *expected)
{
    gol_err err = {0};
    gol_buf out;
    gol_buf_init(&out, 1 << 16);
    if (render(&out, name, (gol_str){0}, talk, prompts, &err) != 0)
        fail_msg("%s: %s", name, err.message);
    gol_buf_putc(&out, '\0');
    assert_string_equal(out.data, expected);
    gol_buf_deinit(&out);
}

static void chatml_writes_roles_between_marks(void **state)
{
    (void)state;
    assert_writes("chatml", question, true,
                  "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    assert_writes("chatml", all, false,
                  "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                  "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n");
}

static void llama3_writes_headers_and_trims(void **state)
{
    (void)state;
    static const turn padded[] = {{"user", "  Hi \n"}, {"tool", "{}"}, {NULL, NULL}};
    assert_writes("llama3", briefed, true,
                  "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                  "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                  "<|start_header_id|>assistant<|end_header_id|>\n\n");
    assert_writes("llama3", padded, false,
                  "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                  "<|start_header_id|>ipython<|end_header_id|>\n\n{}<|eot_id|>");
}

static void gemma_writes_the_systems_text_before_the_first_question(void **state)
{
    (void)state;
    assert_writes("gemma", all, true,
                  "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n"
                  "<start_of_turn>model\nHello!<end_of_turn>\n"
                  "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n");
}

static void phi3_and_zephyr_differ_in_the_end_of_a_turn(void **state)
{
    (void)state;
    assert_writes("phi3", briefed, true,
                  "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\n");
    assert_writes("zephyr", briefed, true,
                  "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n");
}

static void each_version_of_mistral_has_its_own_spaces(void **state)
{
    (void)state;
    assert_writes("mistral", all, true,
                  "<s>[INST] Be brief.\n\nHi [/INST] Hello!</s>[INST] Bye [/INST]");
    assert_writes("mistral-v3", all, true,
                  "<s>[INST] Hi[/INST] Hello!</s>[INST] Be brief.\n\nBye[/INST]");
    assert_writes("mistral-v3-tekken", all, true,
                  "<s>[INST]Hi[/INST]Hello!</s>[INST]Be brief.\n\nBye[/INST]");
    assert_writes(
        "mistral-v7-tekken", all, true,
        "<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hi[/INST]Hello!</s>[INST]Bye[/INST]");
}

static void developers_speak_as_the_system_where_it_has_no_turn(void **state)
{
    (void)state;
    static const turn talk[] = {{"developer", "D"}, {"user", "Hi"}, {NULL, NULL}};
    assert_writes("gemma", talk, false, "<s><start_of_turn>user\nD\n\nHi<end_of_turn>\n");
    assert_writes("mistral-v3", talk, false, "<s>[INST] D\n\nHi[/INST]");
    assert_writes("mistral-v7-tekken", talk, false,
                  "<s>[SYSTEM_PROMPT]D[/SYSTEM_PROMPT][INST]Hi[/INST]");
}

static void every_format_has_a_name_is_listed_and_renders_nothing_as_next_to_nothing(void **state)
{
    (void)state;
    static const turn nothing[] = {{NULL, NULL}};
    size_t n = 0;
    for (const gol_chat_builtin *b = gol_chat_builtin_at(0); b; b = gol_chat_builtin_at(++n)) {
        gol_err err = {0};
        gol_buf out;
        gol_buf_init(&out, 1 << 16);
        assert_ptr_equal(gol_chat_builtin_find(gol_str_from(b->name)), b);
        assert_non_null(strstr(gol_chat_builtin_names(), b->name));
        assert_int_equal(render(&out, b->name, (gol_str){0}, nothing, false, &err), 0);
        assert_true(out.len == 0 || gol_str_is(gol_buf_view(&out), "<s>"));
        gol_buf_deinit(&out);
    }
    assert_true(n >= 9);
    assert_null(gol_chat_builtin_find(GOL_STR("nosuch")));
    assert_null(gol_chat_builtin_find(GOL_STR("chat")));
}

/* ------------------------------------------------------------------ the models' own ---- */

static bool read_template(gol_buf *out, const char *model)
{
    char path[1200], piece[4096];
    snprintf(path, sizeof path, TEST_CONFORMANCE_DIR "/templates/%s.jinja", model);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    for (size_t n = fread(piece, 1, sizeof piece, f); n > 0; n = fread(piece, 1, sizeof piece, f))
        gol_buf_put(out, piece, n);
    fclose(f);
    return true;
}

static void the_models_own_templates_write_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *model;
        const turn *talk;
        bool prompts;
    } cases[] = {
        {"chatml", "Qwen-Qwen2.5-7B-Instruct", briefed, true},
        {"chatml", "Qwen-Qwen2.5-7B-Instruct", all, true},
        {"chatml", "Qwen-Qwen2.5-7B-Instruct", all, false},
        {"chatml", "Qwen-Qwen3-0.6B", turns, true},
        {"gemma", "google-gemma-2-2b-it", question, true},
        {"gemma", "google-gemma-2-2b-it", turns, true},
        {"gemma", "google-gemma-2-2b-it", turns, false},
        {"phi3", "microsoft-Phi-3.5-mini-instruct", question, true},
        {"phi3", "microsoft-Phi-3.5-mini-instruct", all, true},
        {"mistral-v3-tekken", "mistralai-Mistral-Nemo-Instruct-2407", question, true},
        {"mistral-v3-tekken", "mistralai-Mistral-Nemo-Instruct-2407", briefed, true},
        {"mistral-v3-tekken", "mistralai-Mistral-Nemo-Instruct-2407", turns, true},
        {"mistral-v3-tekken", "mistralai-Mistral-Nemo-Instruct-2407", all, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gol_err err = {0};
        gol_buf source, ours, theirs;
        gol_buf_init(&source, 1 << 20);
        gol_buf_init(&ours, 1 << 16);
        gol_buf_init(&theirs, 1 << 16);
        if (!read_template(&source, cases[i].model)) {
            print_message("skipped: no " TEST_CONFORMANCE_DIR
                          "/templates (set GOLLUM_CONFORMANCE)\n");
            skip();
        }
        if (render(&theirs, NULL, gol_buf_view(&source), cases[i].talk, cases[i].prompts, &err) !=
                0 ||
            render(&ours, cases[i].name, (gol_str){0}, cases[i].talk, cases[i].prompts, &err) != 0)
            fail_msg("%s: %s", cases[i].model, err.message);
        gol_buf_putc(&ours, '\0');
        gol_buf_putc(&theirs, '\0');
        assert_string_equal(ours.data, theirs.data);
        gol_buf_deinit(&source);
        gol_buf_deinit(&ours);
        gol_buf_deinit(&theirs);
    }
}

/* ------------------------------------------------------------------ the guess ---- */

/* The format that a model without a template gets, with these tokens of this type in its vocabulary. */
static void assert_guess(bool is_spm, int32_t type, const char *const tokens[],
                         const char *expected)
{
    static vocab_spec v;
    gol_err err = {0};
    gol_chat_template *chat;
    if (is_spm)
        vocab_init_spm(&v);
    else
        vocab_init_bytes(&v, "llama-bpe");
    for (; *tokens; tokens++)
        vocab_add(&v, *tokens, type, 0);
    gol_model_file *file = vocab_file(&v);
    gol_tokenizer *tok = NULL;
    if (gol_tokenizer_load(&tok, file, &err) != 0 ||
        gol_chat_template_load(&chat, file, tok, NULL, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(gol_chat_template_name(chat), expected);
    assert_int_equal(gol_chat_template_is_plain(chat), strcmp(expected, "plain") == 0);
    gol_chat_template_destroy(&chat);
    gol_tokenizer_destroy(&tok);
    gol_model_file_close(&file);
}

enum { CONTROL = 3, USER_DEFINED = 4, NORMAL = 1 };

static void a_vocabulary_gets_the_format_whose_control_tokens_it_has(void **state)
{
    (void)state;
    static const struct {
        bool is_spm;
        const char *tokens[6];
        const char *name;
    } cases[] = {
        {false, {"<|im_start|>", "<|im_end|>"}, "chatml"},
        {false, {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}, "llama3"},
        {true, {"<start_of_turn>", "<end_of_turn>"}, "gemma"},
        {true, {"<|user|>", "<|assistant|>", "<|end|>", "<|system|>"}, "phi3"},
        {false, {"<|user|>", "<|assistant|>", "<|system|>"}, "zephyr"},
        {true, {"[INST]", "[/INST]"}, "mistral-v3"},
        {false, {"[INST]", "[/INST]"}, "mistral-v3-tekken"},
        {false, {"[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"}, "mistral-v7-tekken"},
        {true, {"[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"}, "mistral-v3"},
        /* some of the tokens are not enough */
        {false, {"<|im_start|>"}, "plain"},
        {false, {"<|start_header_id|>", "<|end_header_id|>"}, "plain"},
        {true, {"[INST]"}, "plain"},
        {false, {NULL}, "plain"},
        {true, {NULL}, "plain"},
        /* with those of two formats the first counts */
        {false, {"<|user|>", "<|assistant|>", "<|im_end|>", "<|im_start|>"}, "chatml"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_guess(cases[i].is_spm, CONTROL, cases[i].tokens, cases[i].name);
}

static void tokens_that_are_ordinary_text_do_not_count(void **state)
{
    (void)state;
    static const char *const tokens[] = {"<|im_start|>", "<|im_end|>", NULL};
    assert_guess(false, NORMAL, tokens, "plain");
    assert_guess(false, USER_DEFINED, tokens, "plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chatml_writes_roles_between_marks),
        cmocka_unit_test(llama3_writes_headers_and_trims),
        cmocka_unit_test(gemma_writes_the_systems_text_before_the_first_question),
        cmocka_unit_test(phi3_and_zephyr_differ_in_the_end_of_a_turn),
        cmocka_unit_test(each_version_of_mistral_has_its_own_spaces),
        cmocka_unit_test(developers_speak_as_the_system_where_it_has_no_turn),
        cmocka_unit_test(every_format_has_a_name_is_listed_and_renders_nothing_as_next_to_nothing),
        cmocka_unit_test(the_models_own_templates_write_the_same),
        cmocka_unit_test(a_vocabulary_gets_the_format_whose_control_tokens_it_has),
        cmocka_unit_test(tokens_that_are_ordinary_text_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
