/*
 * One thread for work that would keep libmicrohttpd's thread, and with it every client, waiting: jobs in the order they came.
 *
 *     gol_slow_lane *lane;
 *     rc = gol_slow_lane_create(&lane, &err);
 *     if (!gol_slow_lane_try_put(lane, &mine->job, run, mine))   // false: full, nothing has happened
 *         ...
 *     gol_slow_lane_destroy(&lane);                              // when every job has run
 *
 * A job is a link inside of its owner, who keeps it in place until run() is called: putting allocates nothing. What the putting
 * thread wrote before, run() sees.
 */
#ifndef GOL_HTTP_SLOW_LANE_H
#define GOL_HTTP_SLOW_LANE_H

#include <stdbool.h>

#include "base/error.h"

typedef struct gol_slow_lane gol_slow_lane;
typedef struct gol_slow_job gol_slow_job;

typedef void gol_slow_run(void *user);

struct gol_slow_job {
    gol_slow_job *next;
    gol_slow_run *
        run; /* in the lane's thread; the job may be put again, or freed, from its first instruction on */
    void *user;
};

enum { GOL_SLOW_LANE_JOBS_MAX = 64 }; /* waiting, beside the one that runs */

int gol_slow_lane_create(gol_slow_lane **out, gol_err *err);
bool gol_slow_lane_try_put(gol_slow_lane *lane, gol_slow_job *job, gol_slow_run *run, void *user);
/* Runs what waits, and returns after the last one: an owner in a hurry makes run() return at once. No job may be put meanwhile.
 * NULL is fine. */
void gol_slow_lane_destroy(gol_slow_lane **lane);

#endif
