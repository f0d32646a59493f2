/* A queue of jobs, linked through their owners, and the thread that runs them one by one. See slow_lane.h. */
#include "http/slow_lane.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

struct gol_slow_lane {
    pthread_mutex_t lock; /* over all below but `thread`; never held while a job runs */
    pthread_cond_t has_news;
    gol_slow_job *first;
    gol_slow_job *last; /* meaningless when there is no first */
    int n_jobs;
    bool stopping;
    pthread_t thread;
};

/* Sleeps until there is a job; NULL: there is none, and none will come. */
static gol_slow_job *take(gol_slow_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (lane->first == NULL && !lane->stopping)
        pthread_cond_wait(&lane->has_news, &lane->lock);
    gol_slow_job *job = lane->first;
    if (job != NULL) {
        lane->first = job->next;
        lane->n_jobs--;
    }
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *lane_main(void *arg)
{
    gol_slow_lane *lane = arg;
    for (gol_slow_job *job = take(lane); job != NULL; job = take(lane))
        job->run(job->user);
    return NULL;
}

int gol_slow_lane_create(gol_slow_lane **out, gol_err *err)
{
    *out = NULL;
    gol_slow_lane *lane = gol_try_calloc(1, sizeof *lane);
    if (lane == NULL)
        return gol_fail(err, GOL_ENOMEM, "http: out of memory for the slow lane");
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->has_news, NULL);
    const int error = pthread_create(&lane->thread, NULL, lane_main, lane);
    if (error != 0) {
        pthread_cond_destroy(&lane->has_news);
        pthread_mutex_destroy(&lane->lock);
        gol_free(lane);
        return gol_fail(err, GOL_ENOMEM, "http: cannot start the slow lane's thread: %s",
                        strerror(error));
    }
    *out = lane;
    return 0;
}

bool gol_slow_lane_try_put(gol_slow_lane *lane, gol_slow_job *job, gol_slow_run *run, void *user)
{
    pthread_mutex_lock(&lane->lock);
    assert(!lane->stopping);
    const bool fits = lane->n_jobs < GOL_SLOW_LANE_JOBS_MAX;
    if (fits) {
        *job = (gol_slow_job){.run = run, .user = user};
        if (lane->first == NULL)
            lane->first = job;
        else
            lane->last->next = job;
        lane->last = job;
        lane->n_jobs++;
        pthread_cond_signal(&lane->has_news);
    }
    pthread_mutex_unlock(&lane->lock);
    return fits;
}

void gol_slow_lane_destroy(gol_slow_lane **lane_ptr)
{
    gol_slow_lane *lane = *lane_ptr;
    *lane_ptr = NULL;
    if (lane == NULL)
        return;
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    pthread_cond_signal(&lane->has_news);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    assert(lane->first == NULL && lane->n_jobs == 0);
    pthread_cond_destroy(&lane->has_news);
    pthread_mutex_destroy(&lane->lock);
    gol_free(lane);
}
