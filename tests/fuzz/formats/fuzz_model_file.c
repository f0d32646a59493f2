/* Any bytes as a model file: either an error with a message, or a file whose every promise of model_file.h holds. */
#include "fuzz/formats/walk_model.h"
#include "fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_model_file *file;
    gol_err err = {0};
    const int rc = gol_model_file_open_memory(&file, data, size, "input", &err);
    if (rc != 0) {
        FUZZ_EXPECT(rc < 0 && err.code == rc && err.message[0] != '\0' && !file);
        return 0;
    }
    walk_model(file);
    gol_model_file_close(&file);
    return 0;
}
