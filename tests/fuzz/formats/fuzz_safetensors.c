/*
 * Any bytes as a safetensors file: an error with a message, or tensors that lie inside of it, one after the other. The fuzzer
 * changes the header as JSON half of the time, and then writes its length right.
 */
#include "fuzz/formats/check_safetensors.h"
#include "fuzz/formats/safetensors_words.h"
#include "fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)check_safetensors(data, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    gol_rng rng = {.key = seed};
    uint64_t n_header = 0;
    if (size >= 8)
        memcpy(&n_header, data, 8);
    if (size < 8 || n_header > size - 8 || json_pick(&rng, 2) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    static char header[1 << 16];
    if (n_header > sizeof header / 2)
        return LLVMFuzzerMutate(data, size, max_size);
    const size_t n_data = size - 8 - (size_t)n_header;
    json_text text = {header, (size_t)n_header, sizeof header};
    memcpy(header, data + 8, text.len);
    for (size_t n = 1 + json_pick(&rng, 3); n > 0; n--)
        json_mutate(&text, &rng, &safetensors_words);
    if (8 + text.len + n_data > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    memmove(data + 8 + text.len, data + 8 + n_header, n_data);
    memcpy(data + 8, header, text.len);
    n_header = text.len;
    memcpy(data, &n_header, 8);
    return 8 + text.len + n_data;
}
