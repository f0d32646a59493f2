/* The door into the engine: how many requests, and how many tokens of prompts, are let in at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/inbox.h"

static int push(gol_inbox *inbox, gol_seq *seq, int32_t n_prompt, gol_err *err)
{
    uint64_t id;
    *seq = (gol_seq){.n_prompt = n_prompt, .n_charged = n_prompt};
    *err = (gol_err){0};
    return gol_inbox_push(inbox, seq, &id, err);
}

static void retire(gol_inbox *inbox, gol_seq *seq)
{
    gol_inbox_retire(inbox, seq, &(gol_running){0});
}

static void prompts_are_let_in_up_to_the_limit_and_not_one_token_more(void **state)
{
    (void)state;
    gol_inbox inbox;
    gol_err err = {0};
    gol_seq seqs[4];
    gol_mail mail = {0};
    gol_seq *aborted[8];
    mail.aborted = aborted;
    assert_int_equal(gol_inbox_init(&inbox, &(gol_inbox_limits){2, 6, 0, 100}, &err), 0);
    assert_int_equal(push(&inbox, &seqs[0], 60, &err), 0);
    assert_int_equal(push(&inbox, &seqs[1], 41, &err), GOL_EBUSY);
    assert_non_null(strstr(err.message, "60 tokens"));
    assert_non_null(strstr(err.message, "41 more"));
    assert_non_null(strstr(err.message, "100"));
    assert_int_equal(push(&inbox, &seqs[1], 40, &err), 0);
    assert_int_equal(push(&inbox, &seqs[2], 1, &err), GOL_EBUSY);
    gol_inbox_take(&inbox, &mail, false); /* they run now: their tokens are still there */
    while (mail.submitted.head)
        gol_seq_queue_pop(&mail.submitted);
    assert_int_equal(push(&inbox, &seqs[2], 1, &err), GOL_EBUSY);
    retire(&inbox, &seqs[0]);
    assert_int_equal(push(&inbox, &seqs[2], 60, &err), 0);
    gol_inbox_take(&inbox, &mail, false);
    while (mail.submitted.head)
        gol_seq_queue_pop(&mail.submitted);
    retire(&inbox, &seqs[1]);
    retire(&inbox, &seqs[2]);
    assert_int_equal(inbox.n_prompt_tokens, 0);
    assert_int_equal(push(&inbox, &seqs[3], 100, &err),
                     0); /* the longest, when nobody else is there */
    gol_inbox_take(&inbox, &mail, false);
    gol_seq_queue_pop(&mail.submitted);
    retire(&inbox, &seqs[3]);
    gol_inbox_deinit(&inbox);
}

static void prompts_that_run_do_not_count_as_waiting(void **state)
{
    (void)state;
    gol_inbox inbox;
    gol_err err = {0};
    gol_seq seqs[4];
    gol_mail mail = {0};
    gol_seq *aborted[8];
    mail.aborted = aborted;
    assert_int_equal(gol_inbox_init(&inbox, &(gol_inbox_limits){2, 6, 10, 1000}, &err), 0);
    assert_int_equal(push(&inbox, &seqs[0], 50, &err), 0); /* any one that waits alone */
    assert_int_equal(push(&inbox, &seqs[1], 1, &err), GOL_EBUSY);
    assert_non_null(strstr(err.message, "max_queued_tokens, which is 10"));
    gol_inbox_take(&inbox, &mail, false);
    gol_inbox_set_running(&inbox, &(gol_running){1, 50});
    assert_int_equal(push(&inbox, &seqs[1], 4, &err), 0);
    assert_int_equal(push(&inbox, &seqs[2], 6, &err), 0);
    assert_int_equal(push(&inbox, &seqs[3], 1, &err), GOL_EBUSY);
    gol_inbox_take(&inbox, &mail, false);
    while (mail.submitted.head)
        gol_seq_queue_pop(&mail.submitted);
    for (int i = 0; i < 3; i++)
        retire(&inbox, &seqs[i]);
    gol_inbox_deinit(&inbox);
}

static uint64_t n_allocated;

static void add_bytes(void *p, size_t n_bytes)
{
    (void)p;
    n_allocated += n_bytes;
}

static void its_size_is_known_before(void **state)
{
    (void)state;
    gol_inbox inbox;
    gol_err err = {0};
    n_allocated = 0;
    gol_mem_watch(add_bytes);
    assert_int_equal(gol_inbox_init(&inbox, &(gol_inbox_limits){28, 100, 0, 1000}, &err), 0);
    gol_mem_watch(NULL);
    gol_inbox_deinit(&inbox);
    assert_int_equal(n_allocated, gol_inbox_bytes(100, 28));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_are_let_in_up_to_the_limit_and_not_one_token_more),
        cmocka_unit_test(prompts_that_run_do_not_count_as_waiting),
        cmocka_unit_test(its_size_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
