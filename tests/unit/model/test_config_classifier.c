/* What a file says comes out behind the last layer, and which classifiers are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config.h"
#include "support/test_dir.h"
#include "support/tiny_archs.h"

enum { BERT = ARCH_LAYER_NORM | ARCH_ENCODER | ARCH_POSITIONS | ARCH_SUM_NORM | ARCH_NO_PRE_NORM };

static int read_config(gol_config *c, const arch_case *a, gol_err *err)
{
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    gol_model_file *file;
    if (arch_case_write(a, path, err) < 0 || gol_model_file_open(&file, path, err) < 0)
        fail_msg("%s", err->message);
    const int rc = gol_config_read(c, file, err);
    gol_model_file_close(&file);
    return rc;
}

static gol_config read_ok(const arch_case *a)
{
    gol_config c;
    gol_err err = {0};
    if (read_config(&c, a, &err) < 0)
        fail_msg("%s", err.message);
    gol_config_deinit(&(gol_config){.layers = c.layers});
    c.layers = NULL;
    return c;
}

static void expect_refusal(const arch_case *a, int code, const char *part_of_message)
{
    gol_config c;
    gol_err err = {0};
    const int rc = read_config(&c, a, &err);
    if (rc != code || !strstr(err.message, part_of_message) || !strstr(err.message, "m.gguf"))
        fail_msg("got %d '%s', want %d with '%s'", rc, err.message, code, part_of_message);
}

static void a_classifier_makes_a_reranker_unless_the_file_names_a_pooling(void **state)
{
    (void)state;
    const unsigned classes = 3 << ARCH_CLASSES_SHIFT;
    gol_config c = read_ok(&(arch_case){"x", "bert", 1, 4, BERT | classes, {{0}}});
    assert_int_equal(c.pooling, GOL_POOLING_RANK);
    assert_int_equal(c.classifier.n_classes, 3);
    assert_false(c.classifier.has_softmax || c.has_logits);
    c = read_ok(&(arch_case){"x", "bert", 1, 4, BERT | classes, {{"pooling_type", 'u', 2}}});
    assert_int_equal(c.pooling, GOL_POOLING_CLS);
    assert_int_equal(c.classifier.n_classes, 3);
    c = read_ok(&(arch_case){"x", "bert", 1, 4, BERT, {{0}}});
    assert_int_equal(c.pooling, GOL_POOLING_NONE);
    assert_int_equal(c.classifier.n_classes, 0);
    assert_false(c.has_logits);
}

static void a_decoder_with_a_classifier_has_no_logits(void **state)
{
    (void)state;
    const unsigned traits = ARCH_QK_HEAD | ARCH_TIED;
    gol_config c = read_ok(
        &(arch_case){"x", "qwen3", 1, 2, traits | 2 << ARCH_CLASSES_SHIFT, {{0}}});
    assert_int_equal(c.pooling, GOL_POOLING_RANK);
    assert_true(c.is_causal && c.classifier.has_softmax && !c.has_logits);
    c = read_ok(&(arch_case){"x", "qwen3", 1, 2, traits, {{"pooling_type", 'u', 3}}});
    assert_true(c.has_logits && c.classifier.n_classes == 0); /* Qwen3-Embedding could go on */
}

static void what_would_give_wrong_scores_is_refused(void **state)
{
    (void)state;
    const unsigned qwen = ARCH_QK_HEAD | ARCH_TIED;
    const unsigned one = 1 << ARCH_CLASSES_SHIFT;
    expect_refusal(&(arch_case){"x", "bert", 1, 4, BERT, {{"pooling_type", 'u', 4}}},
                   GOL_EUNSUPPORTED, "a reranker");
    expect_refusal(&(arch_case){"x", "qwen2", 1, 2, ARCH_TIED | one, {{"pooling_type", 'u', 4}}},
                   GOL_EUNSUPPORTED, "those of bert and qwen3");
    expect_refusal(&(arch_case){"x", "qwen3", 1, 2, qwen | one, {{0}}}, GOL_EMODEL,
                   "has 1 row; the softmax");
    expect_refusal(
        &(arch_case){"x", "bert", 1, 4, BERT | one, {{"classifier.output_labels", 'u', 1}}},
        GOL_EMODEL, "classifier.output_labels");
    expect_refusal(
        &(arch_case){"x", "bert", 1, 4, BERT | one, {{"classifier.pooling_type", 'u', 1}}},
        GOL_EUNSUPPORTED, "classifier.pooling_type is 1; 2 is supported");
    read_ok(&(arch_case){"x", "bert", 1, 4, BERT | one, {{"classifier.pooling_type", 'u', 2}}});
}

static void labels_are_as_many_as_rows(void **state)
{
    (void)state;
    const unsigned three = 3 << ARCH_CLASSES_SHIFT;
    arch_case a = {"x", "bert", 1, 4, BERT | three, {{0}}};
    read_ok(&a);
    a.traits |= ARCH_LABEL_MORE;
    expect_refusal(&a, GOL_EMODEL, "has 4 names, tensor 'cls.output.weight' has 3 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_classifier_makes_a_reranker_unless_the_file_names_a_pooling),
        cmocka_unit_test(a_decoder_with_a_classifier_has_no_logits),
        cmocka_unit_test(what_would_give_wrong_scores_is_refused),
        cmocka_unit_test(labels_are_as_many_as_rows),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
