/* Reads bytes as a safetensors file, and ends the process when a promise of safetensors.h does not hold. */
#ifndef TESTS_FUZZ_FORMATS_CHECK_SAFETENSORS_H
#define TESTS_FUZZ_FORMATS_CHECK_SAFETENSORS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_expect.h"
#include "formats/safetensors.h"

static volatile uint8_t safetensors_sink; /* where reads end, so that no compiler leaves them out */

/* True: tensors that lie in the file one after the other, every byte read. False: refused with a message that names the file. */
static inline bool check_safetensors(const uint8_t *data, size_t size)
{
    gol_safetensors f;
    gol_err err = {0};
    const int rc = gol_safetensors_parse(&f, data, size, "input", &err);
    if (rc != 0) {
        FUZZ_EXPECT(rc < 0 && err.code == rc && !f.tensors);
        FUZZ_EXPECT(strncmp(err.message, "input: ", 7) == 0 && err.message[7] != '\0');
        return false;
    }
    uint64_t end = f.n > 0 ? f.tensors[0].offset : size;
    for (size_t i = 0; i < f.n; i++) {
        const gol_safetensor *t = &f.tensors[i];
        FUZZ_EXPECT(t->offset == end && t->n_bytes <= size - end && t->name.len > 0);
        FUZZ_EXPECT(t->n_bytes == t->n_elements * (uint64_t)gol_dtype_get(t->dtype)->n_bits / 8);
        uint64_t n = 1;
        for (int d = 0; d < t->n_dims; d++)
            n *= t->shape[d];
        FUZZ_EXPECT(n == t->n_elements);
        for (uint64_t k = 0; k < t->n_bytes; k++)
            safetensors_sink ^= data[t->offset + k];
        end += t->n_bytes;
    }
    FUZZ_EXPECT(end == size);
    gol_safetensors_deinit(&f);
    return true;
}

#endif
