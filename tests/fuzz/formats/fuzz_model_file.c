/* Any bytes as a model file: either an error with a message, or a file whose every promise of model_file.h holds. */
#include <stdlib.h>
#include <string.h>

#include "formats/model_file.h"
#include "fuzz/fuzz_target.h"

static volatile uint8_t sink;

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void read_value(const gol_value *value)
{
    if (value->type == GOL_VALUE_STRING && value->str.len > 0)
        sink ^= (uint8_t)(value->str.data[0] ^ value->str.data[value->str.len - 1]);
    expect(gol_value_eq(value, value));
}

static void read_tensor(const gol_model_file *file, const gol_tensor *tensor)
{
    expect(gol_model_file_find_tensor(file, tensor->name) == tensor);
    expect(tensor->n_dims >= 1 && tensor->n_dims <= GOL_DIMS_MAX);
    uint64_t n = 1;
    for (int i = 0; i < GOL_DIMS_MAX; i++)
        n *= tensor->shape[i];
    expect(n == tensor->n_elements);
    if (tensor->n_bytes > 0)
        sink ^= (uint8_t)(tensor->data[0] ^ tensor->data[tensor->n_bytes - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_model_file *file;
    gol_err err = {0};
    const int rc = gol_model_file_open_memory(&file, data, size, "input", &err);
    if (rc != 0) {
        expect(rc < 0 && err.code == rc && err.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < gol_model_file_n_meta(file); i++)
        read_value(&gol_model_file_get_meta(file, i)->value);
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++)
        read_tensor(file, gol_model_file_get_tensor(file, i));
    gol_model_file_close(&file);
    return 0;
}
