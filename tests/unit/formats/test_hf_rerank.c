/* Which folders of Qwen3 are rerankers, what their classifier is made of, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/hf_folder.h"

/* [n][4] */
static const float embed[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
static const float head[3][4] = {{-1, -2, -3, -4}, {-5, -6, -7, -8}, {-9, -10, -11, -12}};

static void write_model(bool has_head, const char *more)
{
    weights w = {0};
    add(&w, "model.embed_tokens.weight", "F32", "[3,4]", sizeof embed, embed);
    if (has_head)
        add(&w, "lm_head.weight", "F32", "[3,4]", sizeof head, head);
    write_weights(&w, "model.safetensors");
    write_config_of("Qwen3ForCausalLM", more);
    write_text("vocab.json", "{\"no\":0,\"x\":1,\"yes\":2}");
}

static gol_model_file *open_as_reranker(void)
{
    gol_err err = {0};
    gol_model_file *file;
    if (gol_model_file_open_as(&file, dir.path, GOL_MODEL_USE_RERANKER, &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

/* yes, no: rows of a matrix [n][4]; NULL: zeros. */
static void expect_classifier(const gol_model_file *file, const float *yes, const float *no,
                              bool has_prompt)
{
    static const float zeros[4];
    float want[2][4];
    gol_str text;
    memcpy(want[0], yes, sizeof want[0]);
    memcpy(want[1], no ? no : zeros, sizeof want[1]);
    expect_bytes(file, "cls.output.weight", GOL_TYPE_F32, want, sizeof want);
    assert_null(gol_model_file_find_tensor(file, GOL_STR("output.weight")));
    expect_u32(file, "qwen3.pooling_type", 4);
    const gol_value *labels = gol_model_file_find_meta(file, "qwen3.classifier.output_labels");
    assert_non_null(labels);
    assert_int_equal(gol_value_n(labels), 2);
    assert_true(gol_value_at_str(labels, 0, &text) && gol_str_is(text, "yes"));
    assert_true(gol_value_at_str(labels, 1, &text) && gol_str_is(text, "no"));
    const int rc = gol_meta_str(file, "tokenizer.chat_template.rerank", &text, NULL);
    assert_int_equal(rc, has_prompt);
    if (has_prompt)
        assert_non_null(memmem(text.data, text.len, "\n<Query>: {query}\n", 18));
}

static void expect_reranker(void)
{
    gol_model_file *file = open_folder();
    expect_classifier(file, embed[2], embed[0], true);
    gol_model_file_close(&file);
}

static void expect_causal_model(void)
{
    gol_model_file *file = open_folder();
    assert_null(gol_model_file_find_tensor(file, GOL_STR("cls.output.weight")));
    assert_null(gol_model_file_find_meta(file, "qwen3.pooling_type"));
    gol_model_file_close(&file);
}

static const char tied[] = ",\"tie_word_embeddings\":true";

static void who_asks_for_a_reranker_gets_one(void **state)
{
    (void)state;
    write_model(false, tied);
    expect_causal_model();
    gol_model_file *file = open_as_reranker();
    expect_classifier(file, embed[2], embed[0], true);
    gol_model_file_close(&file);

    write_model(true, "");
    expect_causal_model();
    file = open_as_reranker();
    expect_classifier(file, head[2], head[0], true);
    gol_model_file_close(&file);

    write_model(true, tied); /* a copy of the table, by the configuration */
    file = open_as_reranker();
    expect_classifier(file, embed[2], embed[0], true);
    gol_model_file_close(&file);
}

static void a_models_card_says_that_it_is_a_reranker(void **state)
{
    (void)state;
    static const char *const rerankers[] = {
        "# Qwen3-Reranker-0.6B\n",
        "---\r\nlicense: mit\r\n---\r\ntext\r\n# My QWEN3-reranker in FP16\r\n",
        "---\nbase_model: Qwen/Qwen3-Reranker-4B\n---\n# Other\n",
        "---\ntags:\n- x\nbase_model:\n- Qwen/Qwen3-4B\n- Qwen/Qwen3-Reranker-4B\nlicense: mit",
    };
    static const char *const others[] = {
        "",
        "# Qwen3\n# Qwen3-Reranker-0.6B\n",
        "Qwen3-Reranker\n## Qwen3-Reranker\n",
        "---\npipeline_tag: text-ranking\nbase_model: Qwen/Qwen3-4B\n---\n",
        "---\nbase_model: x\ntags:\n- Qwen3-Reranker\n---\n# Other",
    };
    write_model(false, tied);
    for (size_t i = 0; i < sizeof rerankers / sizeof *rerankers; i++) {
        write_text("README.md", rerankers[i]);
        expect_reranker();
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_text("README.md", others[i]);
        expect_causal_model();
    }
}

static void names_say_that_it_is_a_reranker(void **state)
{
    (void)state;
    gol_err err = {0};
    write_model(false, ",\"tie_word_embeddings\":true,\"_name_or_path\":\"a/Qwen3-Reranker-8B\"");
    expect_reranker();
    write_model(false, ",\"tie_word_embeddings\":true,\"is_original_qwen3_reranker\":true");
    expect_reranker();

    /* The folder's, by its own name and by a file in it, and that of a link to it */
    char path[256];
    char from[256];
    static const char *const names[] = {"Qwen3-Reranker-0.6B", "my-qwen3-reranker"};
    write_model(false, tied);
    make_folder(names[0]);
    static const char *const files[] = {"model.safetensors", "config.json", "vocab.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s/%s", names[0], files[i]);
        assert_int_equal(
            rename(temp_dir_file(&dir, files[i], from), temp_dir_file(&dir, name, path)), 0);
    }
    assert_int_equal(
        symlink(temp_dir_file(&dir, names[0], from), temp_dir_file(&dir, "link", path)), 0);
    static const char *const paths[] = {"Qwen3-Reranker-0.6B", "Qwen3-Reranker-0.6B//",
                                        "Qwen3-Reranker-0.6B/.", "link",
                                        "Qwen3-Reranker-0.6B/model.safetensors"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        gol_model_file *file;
        if (gol_model_file_open(&file, temp_dir_file(&dir, paths[i], path), &err) != 0)
            fail_msg("%s", err.message);
        expect_classifier(file, embed[2], embed[0], true);
        gol_model_file_close(&file);
    }
}

static void an_embedding_model_is_no_reranker(void **state)
{
    (void)state;
    write_model(false, tied);
    write_text("README.md", "# Qwen3-Reranker\n");
    make_folder("1_Pooling");
    write_text("1_Pooling/config.json", "{\"pooling_mode_lasttoken\":true}");
    gol_model_file *file = open_as_reranker();
    assert_null(gol_model_file_find_tensor(file, GOL_STR("cls.output.weight")));
    expect_u32(file, "qwen3.pooling_type", 3);
    gol_model_file_close(&file);
}

static void write_logit_score(const char *config)
{
    write_text("modules.json",
               "[{\"path\":\"\",\"type\":\"sentence_transformers.base.modules.Transformer\"},"
               "{\"path\":\"1_LogitScore\",\"type\":\"sentence_transformers.cross_encoder.modules."
               "logit_score.LogitScore\"}]");
    if (config)
        write_text("1_LogitScore/config.json", config);
}

static void a_logit_score_of_yes_and_no_is_a_reranker(void **state)
{
    (void)state;
    write_model(false, tied);
    make_folder("1_LogitScore");
    write_logit_score(NULL);
    expect_refusal(GOL_EUNSUPPORTED, "'1_LogitScore' has no config.json");
    write_logit_score("{\"true_token_id\":2,\"false_token_id\":0}");
    expect_reranker();
    write_logit_score("{\"true_token_id\":1,\"false_token_id\":0}");
    expect_refusal(GOL_EUNSUPPORTED,
                   "true_token_id of LogitScore is supported for the token 'yes'");
    write_logit_score("{\"true_token_id\":2,\"false_token_id\":null}");
    expect_refusal(GOL_EUNSUPPORTED,
                   "false_token_id of LogitScore is supported for the token 'no'");
    write_logit_score("{\"true_token_id\":-2,\"false_token_id\":0.5}");
    expect_refusal(GOL_EUNSUPPORTED, "true_token_id");
    write_logit_score("{\"true_token_id\":2,\"false_token_id\":0}");
    write_config_of("Qwen2ForCausalLM", tied);
    expect_refusal(GOL_EUNSUPPORTED, "not behind 'Qwen2ForCausalLM'");
}

static void classifier_from_token_names_the_tokens(void **state)
{
    (void)state;
    static const char *const classes[] = {"Qwen3ForSequenceClassification", "Qwen3ForCausalLM"};
    gol_model_file *file;
    for (int i = 0; i < 2; i++) {
        write_model(true, "");
        write_config_of(classes[i], ",\"classifier_from_token\":[\"no\",\"yes\"],"
                                    "\"is_original_qwen3_reranker\":true");
        file = open_folder();
        expect_classifier(file, head[2], head[0], true);
        gol_model_file_close(&file);
        write_config_of(classes[i], ",\"classifier_from_token\":[\"x\",\"no\"],"
                                    "\"method\":\"from_2_way_softmax\","
                                    "\"tie_word_embeddings\":true");
        file = open_folder();
        expect_classifier(file, embed[0], embed[1], false);
        gol_model_file_close(&file);
        write_config_of(classes[i], ",\"classifier_from_token\":[\"yes\"]");
        expect_refusal(GOL_EUNSUPPORTED, "classifier_from_token: only a list of two tokens");
        write_config_of(classes[i], ",\"classifier_from_token\":[\"no\",\"yes\"],"
                                    "\"method\":\"no_post_processing\"");
        expect_refusal(GOL_EUNSUPPORTED, "method: only from_2_way_softmax");
        write_config_of(classes[i], ",\"classifier_from_token\":[\"never\",\"yes\"]");
        expect_refusal(GOL_EUNSUPPORTED, "vocab.json: a reranker of this class answers with one "
                                         "token, 'never'");
    }
}

static void tokens_are_found_in_either_vocabulary(void **state)
{
    (void)state;
    char path[256];
    write_model(false, tied);
    write_text("README.md", "# Qwen3-Reranker\n");
    write_text("tokenizer.json", "{\"model\":{\"vocab\":{\"no\":1,\"yes\":0}}}");
    expect_reranker(); /* vocab.json is the smaller one */
    assert_int_equal(remove(temp_dir_file(&dir, "vocab.json", path)), 0);
    gol_model_file *file = open_folder();
    expect_classifier(file, embed[0], embed[1], true);
    gol_model_file_close(&file);
    write_text("tokenizer.json", "{\"model\":{\"vocab\":{\"no\":1,\"ye\":0}}}");
    expect_refusal(GOL_EUNSUPPORTED, "tokenizer.json: a reranker of this class answers with one "
                                     "token, 'yes'");
    write_text("tokenizer.json", "{\"model\":{\"vocab\":{\"no\":1,\"yes\":3}}}");
    expect_refusal(GOL_EMODEL, "cannot be cut to the rows of a reranker's tokens");
    assert_int_equal(remove(temp_dir_file(&dir, "tokenizer.json", path)), 0);
    expect_refusal(GOL_EUNSUPPORTED, "token, 'yes'");
}

static void write_scores(const char *shape, size_t n_rows, const char *more)
{
    weights w = {0};
    add(&w, "model.embed_tokens.weight", "F32", "[3,4]", sizeof embed, embed);
    if (n_rows > 0)
        add(&w, "score.weight", "F32", shape, n_rows * sizeof head[0], head);
    write_weights(&w, "model.safetensors");
    write_config_of("Qwen3ForSequenceClassification", more);
}

static void expect_scores(const float *yes, const float *no, bool has_prompt)
{
    gol_model_file *file = open_folder();
    expect_classifier(file, yes, no, has_prompt);
    gol_model_file_close(&file);
}

static void a_classifier_of_its_own_has_one_or_two_rows(void **state)
{
    (void)state;
    write_scores("[1,4]", 1, "");
    expect_scores(head[0], NULL, false);
    gol_model_file *file = open_as_reranker();
    expect_classifier(file, head[0], NULL, true);
    gol_model_file_close(&file);
    write_text("README.md", "---\nbase_model: Qwen/Qwen3-Reranker-0.6B\n---\n");
    expect_scores(head[0], NULL, true);

    write_scores("[2,4]", 2, "");
    expect_scores(head[1], head[0], true);
    write_scores("[2,4]", 2, ",\"id2label\":{\"0\":\"no\",\"1\":\"Yes\"}");
    expect_scores(head[1], head[0], true);
    write_scores("[2,4]", 2, ",\"id2label\":{\"0\":\"relevant\",\"1\":\"other\"}");
    expect_scores(head[0], head[1], true);
    write_scores("[2,4]", 2, ",\"id2label\":{\"0\":\"spam\",\"1\":\"ham\"}");
    expect_refusal(GOL_EUNSUPPORTED, "id2label: one of two classes must be called yes");
    write_scores("[2,4]", 2, ",\"id2label\":{\"0\":\"yes\",\"1\":\"true\"}");
    expect_refusal(GOL_EUNSUPPORTED, "id2label");
    write_scores("[3,4]", 3, "");
    expect_refusal(GOL_EUNSUPPORTED, "'score.weight' has 3 rows; a reranker's has 1 or 2");
    write_scores("[4]", 1, "");
    expect_refusal(GOL_EUNSUPPORTED, "'score.weight' has 0 rows");
    write_scores("", 0, "");
    expect_refusal(GOL_EUNSUPPORTED, "'score.weight' has 0 rows");
}

static void a_folders_own_prompt_stays(void **state)
{
    (void)state;
    gol_str text;
    write_model(false, tied);
    write_text("README.md", "# Qwen3-Reranker\n");
    write_text("tokenizer_config.json",
               "{\"chat_template\":[{\"name\":\"rerank\",\"template\":\"{query} {document}\"}]}");
    gol_model_file *file = open_folder();
    assert_int_equal(gol_meta_str(file, "tokenizer.chat_template.rerank", &text, NULL), 1);
    assert_true(gol_str_is(text, "{query} {document}"));
    gol_model_file_close(&file);
}

static void halves_keep_their_type(void **state)
{
    (void)state;
    static const uint16_t rows[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
    static const uint16_t want[2][4] = {{9, 10, 11, 12}, {1, 2, 3, 4}};
    weights w = {0};
    write_model(false, tied);
    add(&w, "model.embed_tokens.weight", "BF16", "[3,4]", sizeof rows, rows);
    write_weights(&w, "model.safetensors");
    gol_model_file *file = open_as_reranker();
    expect_bytes(file, "cls.output.weight", GOL_TYPE_BF16, want, sizeof want);
    gol_model_file_close(&file);
}

static void memory_that_lacks_leaves_nothing_behind(void **state)
{
    (void)state;
    write_model(false, tied);
    write_text("README.md", "# Qwen3-Reranker\n");
    expect_no_leaks();
    write_scores("[2,4]", 2, "");
    expect_no_leaks();
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        IN_DIR(who_asks_for_a_reranker_gets_one),
        IN_DIR(a_models_card_says_that_it_is_a_reranker),
        IN_DIR(names_say_that_it_is_a_reranker),
        IN_DIR(an_embedding_model_is_no_reranker),
        IN_DIR(a_logit_score_of_yes_and_no_is_a_reranker),
        IN_DIR(classifier_from_token_names_the_tokens),
        IN_DIR(tokens_are_found_in_either_vocabulary),
        IN_DIR(a_classifier_of_its_own_has_one_or_two_rows),
        IN_DIR(a_folders_own_prompt_stays),
        IN_DIR(halves_keep_their_type),
        IN_DIR(memory_that_lacks_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
