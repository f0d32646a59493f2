/* What mutations of safetensors headers put in: names of types and members, numbers near the limits. */
#ifndef TESTS_FUZZ_FORMATS_SAFETENSORS_WORDS_H
#define TESTS_FUZZ_FORMATS_SAFETENSORS_WORDS_H

#include "fuzz/json_mutations.h"

static const char *const safetensors_values[] = {
    "\"BOOL\"",
    "\"F4\"",
    "\"F6_E2M3\"",
    "\"U8\"",
    "\"I8\"",
    "\"F8_E5M2\"",
    "\"F8_E4M3\"",
    "\"I16\"",
    "\"F16\"",
    "\"BF16\"",
    "\"I32\"",
    "\"F32\"",
    "\"F64\"",
    "\"C64\"",
    "\"f32\"",
    "\"F128\"",
    "[0, 0]",
    "[0, 24]",
    "[24, 30]",
    "[30, 24]",
    "[1, 1, 1, 1, 1, 1, 1, 1]",
    "[1, 1, 1, 1, 1, 1, 1, 1, 1]",
    "[0]",
    "[4294967296, 4294967296]",
    "[9223372036854775807]",
    "[9223372036854775807, 2]",
    "[0, 9223372036854775807]",
    "[0, 18446744073709551615]",
    "[-1, 24]",
    "[0.0, 24.0]",
    "{\"dtype\": \"F32\", \"shape\": [2, 3], \"data_offsets\": [0, 24]}",
    "{\"dtype\": \"U8\", \"shape\": [0], \"data_offsets\": [24, 24]}",
    "{\"dtype\": \"U8\", \"shape\": [], \"data_offsets\": [30, 31]}",
    "12",
    "24",
    "30",
    "6"};

static const char *const safetensors_keys[] = {
    "dtype", "shape", "data_offsets", "__metadata__", "a",
    "b",     "",      "\\u0000",      "a\\u0000b",    "\\ud800"};

static const json_words safetensors_words = {
    safetensors_values, sizeof safetensors_values / sizeof *safetensors_values, safetensors_keys,
    sizeof safetensors_keys / sizeof *safetensors_keys};

#endif
