/* The outbox alone: order, waiting, and that a reader is never left waiting for nothing. */
#include "unit/lib/lib_test.h"

#include "base/mem.h"
#include "lib/outbox.h"

enum { N_RECORDS = 4 };

static gol_answer *new_answer(void)
{
    gol_answer *answer = gol_try_calloc(1, sizeof *answer);
    assert_non_null(answer);
    answer->records = gol_try_array(N_RECORDS, sizeof *answer->records);
    assert_non_null(answer->records);
    answer->n_records_max = N_RECORDS;
    return answer;
}

static void put(gol_outbox *outbox, gol_answer *answer, int32_t token)
{
    const gol_answer_record record = {.token = token};
    gol_outbox_put(outbox, answer, &record);
}

static void assert_next(gol_outbox *outbox, const gol_answer *answer, int32_t token)
{
    gol_answer *got;
    gol_answer_record record;
    assert_true(gol_outbox_take(outbox, 0, &got, &record));
    assert_ptr_equal(got, answer);
    assert_int_equal(record.token, token);
}

static void assert_nothing(gol_outbox *outbox)
{
    gol_answer *got;
    gol_answer_record record;
    assert_false(gol_outbox_take(outbox, 0, &got, &record));
}

static void answers_are_read_in_turns_each_in_its_order(void **state)
{
    (void)state;
    gol_outbox outbox;
    gol_outbox_init(&outbox);
    gol_answer *a = new_answer();
    gol_answer *b = new_answer();
    gol_outbox_open(&outbox);
    gol_outbox_open(&outbox);
    assert_nothing(&outbox);
    put(&outbox, a, 1);
    put(&outbox, a, 2);
    put(&outbox, a, 3);
    put(&outbox, b, 10);
    assert_next(&outbox, a, 1);
    assert_next(&outbox, b, 10);
    assert_next(&outbox, a, 2);
    put(&outbox, b, 11);
    put(&outbox, a, 4);
    assert_next(&outbox, a, 3);
    assert_next(&outbox, b, 11);
    assert_next(&outbox, a, 4);
    assert_nothing(&outbox);
    gol_outbox_close(&outbox);
    gol_outbox_close(&outbox);
    gol_outbox_deinit(&outbox);
    gol_answer_destroy(&a);
    gol_answer_destroy(&b);
}

static void what_nobody_read_is_freed(void **state)
{
    (void)state;
    gol_outbox outbox;
    gol_outbox_init(&outbox);
    for (int i = 0; i < 3; i++) {
        gol_outbox_open(&outbox);
        put(&outbox, new_answer(), i);
    }
    gol_outbox_deinit(&outbox); /* LeakSanitizer tells */
}

typedef struct reader {
    gol_outbox *outbox;
    bool has_record;
} reader;

static void *wait_for_ever(void *arg)
{
    reader *r = arg;
    gol_answer *answer;
    gol_answer_record record;
    r->has_record = gol_outbox_take(r->outbox, UINT64_MAX, &answer, &record);
    return NULL;
}

/* As when the only submission fails while somebody polls. */
static void a_reader_leaves_when_the_last_answer_closes(void **state)
{
    (void)state;
    gol_outbox outbox;
    gol_outbox_init(&outbox);
    for (int i = 0; i < 50; i++) {
        gol_outbox_open(&outbox);
        reader r = {.outbox = &outbox, .has_record = true};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &r), 0);
        if (i % 2 == 0) { /* the reader is asleep, most likely */
            const struct timespec ms = {.tv_nsec = 1000000};
            nanosleep(&ms, NULL);
        }
        gol_outbox_close(&outbox);
        pthread_join(thread, NULL);
        assert_false(r.has_record);
    }
    gol_outbox_deinit(&outbox);
}

static void a_reader_wakes_for_a_record(void **state)
{
    (void)state;
    gol_outbox outbox;
    gol_outbox_init(&outbox);
    gol_outbox_open(&outbox);
    gol_answer *answer = new_answer();
    for (int i = 0; i < N_RECORDS; i++) {
        reader r = {.outbox = &outbox};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &r), 0);
        put(&outbox, answer, i);
        pthread_join(thread, NULL);
        assert_true(r.has_record);
    }
    gol_outbox_close(&outbox);
    gol_outbox_deinit(&outbox);
    gol_answer_destroy(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_in_turns_each_in_its_order),
        cmocka_unit_test(what_nobody_read_is_freed),
        cmocka_unit_test(a_reader_leaves_when_the_last_answer_closes),
        cmocka_unit_test(a_reader_wakes_for_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
