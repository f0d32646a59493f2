/* What must hold whatever the input: ends the process, which is a finding for a fuzzer and a failure for a test. */
#ifndef TESTS_FUZZ_FUZZ_EXPECT_H
#define TESTS_FUZZ_FUZZ_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#define FUZZ_EXPECT(holds)                                                                         \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
