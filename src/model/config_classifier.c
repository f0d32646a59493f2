/*
 * What a model says behind its last layer: the next token, one vector for a text, or scores. A classifier is known by its tensor
 * cls.output.weight; converters write pooling_type for some rerankers and leave it out for others.
 */
#include "model/config_impl.h"

/* classifier.output_labels, which may be absent: a name for each class. */
static int check_labels(const gol_config *config, const gol_model_file *file, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, "classifier.output_labels");
    const gol_value *labels = NULL;
    const int rc = gol_meta_array(file, key, 1u << GOL_VALUE_STRING, &labels, err);
    if (rc <= 0)
        return rc;
    if (gol_value_n(labels) != (uint64_t)config->classifier.n_classes)
        return gol_config_fail(
            file, err, GOL_EMODEL, "%s has %llu names, tensor 'cls.output.weight' has %d rows", key,
            (unsigned long long)gol_value_n(labels), config->classifier.n_classes);
    return 0;
}

/* classifier.pooling_type, which may be absent: the classifier reads one row. */
static int check_row(const gol_config *config, const gol_model_file *file, gol_err *err)
{
    const int32_t expected = config->is_causal ? GOL_POOLING_LAST : GOL_POOLING_CLS;
    int32_t pooling = expected;
    const int rc = gol_config_u32(config, file, "classifier.pooling_type", 0, GOL_POOLING_RANK,
                                  &pooling, err);
    if (rc < 0 || pooling == expected)
        return rc < 0 ? rc : 0;
    return gol_config_fail(file, err, GOL_EUNSUPPORTED,
                           "%s.classifier.pooling_type is %d; %d is supported", config->arch,
                           pooling, expected);
}

int gol_config_read_classifier(gol_config *config, const gol_model_file *file, bool has_softmax,
                               gol_err *err)
{
    const gol_tensor *t = gol_model_file_find_tensor(file, GOL_STR("cls.output.weight"));
    if (!t)
        return 0;
    if (t->shape[1] < 1 || t->shape[1] > GOL_CLASSES_MAX)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "tensor 'cls.output.weight' has %llu rows; 1 to %d are accepted",
                               (unsigned long long)t->shape[1], (int)GOL_CLASSES_MAX);
    if (has_softmax && t->shape[1] == 1)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "tensor 'cls.output.weight' has 1 row; the softmax behind it says "
                               "nothing with fewer than 2");
    config->classifier = (gol_classifier){.n_classes = (int32_t)t->shape[1],
                                          .has_softmax = has_softmax};
    return check_labels(config, file, err);
}

int gol_config_set_outputs(gol_config *config, const gol_model_file *file, gol_err *err)
{
    const bool has_classifier = config->classifier.n_classes > 0;
    if (config->pooling == GOL_POOLING_RANK && !has_classifier)
        return gol_config_fail(
            file, err, GOL_EUNSUPPORTED,
            "%s.pooling_type is %d, a reranker; those of bert and qwen3 that have a "
            "tensor 'cls.output.weight' are supported",
            config->arch, GOL_POOLING_RANK);
    if (config->pooling == GOL_POOLING_NONE && has_classifier)
        config->pooling = GOL_POOLING_RANK;
    config->has_logits = config->is_causal && config->pooling != GOL_POOLING_RANK;
    return has_classifier ? check_row(config, file, err) : 0;
}
