/* Any bytes as a safetensors file: an error with a message, or tensors that lie inside of it, one after the other. */
#include <stdlib.h>

#include "formats/safetensors.h"
#include "fuzz/fuzz_target.h"

#define EXPECT(holds)                                                                              \
    do {                                                                                           \
        if (!(holds))                                                                              \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_safetensors f;
    gol_err err = {0};
    const int rc = gol_safetensors_parse(&f, data, size, "input", &err);
    if (rc != 0) {
        EXPECT(rc < 0 && err.code == rc && err.message[0] != '\0' && !f.tensors);
        return 0;
    }
    uint64_t end = f.n > 0 ? f.tensors[0].offset : size;
    for (size_t i = 0; i < f.n; i++) {
        const gol_safetensor *t = &f.tensors[i];
        EXPECT(t->offset == end && t->n_bytes <= size - end && t->name.len > 0);
        EXPECT(t->n_bytes == t->n_elements * (uint64_t)gol_dtype_get(t->dtype)->n_bits / 8);
        end += t->n_bytes;
    }
    EXPECT(end == size);
    gol_safetensors_deinit(&f);
    return 0;
}
