/* Two answers are the same when every bit is: tokens, log-probabilities, and how they end. */
#ifndef TESTS_SUPPORT_SAME_ANSWER_H
#define TESTS_SUPPORT_SAME_ANSWER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/collector.h"

static inline void assert_same_answer(const collector *got, const collector *expected)
{
    assert_int_equal(got->n_last_events, 1);
    assert_int_equal(got->last.finish, expected->last.finish);
    assert_int_equal(got->n_tokens, expected->n_tokens);
    const size_t n = (size_t)got->n_tokens;
    assert_memory_equal(got->tokens, expected->tokens, n * sizeof *got->tokens);
    assert_memory_equal(got->logprobs, expected->logprobs, n * sizeof *got->logprobs);
    assert_memory_equal(got->top, expected->top, n * sizeof *got->top);
}

#endif
