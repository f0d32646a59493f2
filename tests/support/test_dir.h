/*
 * `dir`: a folder for the tests of one program, and the cmocka fixtures that make and remove it, for each test or for the
 * whole group.
 */
#ifndef TESTS_SUPPORT_TEST_DIR_H
#define TESTS_SUPPORT_TEST_DIR_H

#include "support/temp_dir.h"

static temp_dir dir;

static inline int make_dir(void **state)
{
    (void)state;
    dir = temp_dir_create();
    return 0;
}

static inline int remove_dir(void **state)
{
    (void)state;
    temp_dir_destroy(&dir);
    return 0;
}

#endif
