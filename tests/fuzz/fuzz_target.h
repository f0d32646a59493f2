/* What a fuzz target defines. Returns 0; anything but a return (a crash, a report of a sanitizer, too long) is a finding. */
#ifndef TESTS_FUZZ_FUZZ_TARGET_H
#define TESTS_FUZZ_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* May be defined, too: changes data[size] in place, up to max_size bytes, and returns the new size. Only a fuzzer calls it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* libFuzzer's own mutations; replay.c has one that changes nothing. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
