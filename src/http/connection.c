/*
 * A connection's life, its sleep and its deadlines. wake() may come at any moment from the engine's thread, so going to sleep
 * is a two-step affair: clear is_woken, look at the call, and suspend only if nobody woke us meanwhile.
 */
#include "http/connection.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/connections.h"

enum { HANGUP_GRACE_MS = 1000 };

gol_connection *gol_connection_create(const gol_connection_env *env, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    gol_connection *c = gol_try_calloc(1, sizeof *c);
    if (c == NULL || info == NULL)
        goto fail;
    c->env = env;
    c->mhd = mhd;
    c->fd = info->connect_fd;
    c->deadline_ns = gol_clock_ns() + (uint64_t)env->idle_ms * 1000000u;
    gol_buf_init(&c->body, env->body_max);
    pthread_mutex_init(&c->lock, NULL);
    if (gol_connections_insert(env->connections, c)) {
        c->is_watched = gol_hangup_watch_add(env->watch, c->fd, c->key) == 0;
        return c;
    }
    pthread_mutex_destroy(&c->lock);
fail:
    gol_free(c);
    return NULL;
}

void gol_connection_destroy(gol_connection **connection)
{
    gol_connection *c = *connection;
    *connection = NULL;
    if (c == NULL)
        return;
    assert(!c->is_in_lane);
    if (c->is_watched)
        gol_hangup_watch_remove(c->env->watch, c->fd);
    gol_connections_remove(c->env->connections, c); /* hang_up() and tick() cannot find it now */
    pthread_mutex_destroy(&c->lock);
    gol_free(c);
}

/* ---- any thread ---- */

static void wake_locked(gol_connection *c)
{
    c->is_woken = true;
    if (c->is_suspended && !c->is_in_lane) {
        c->is_suspended = false;
        MHD_resume_connection(c->mhd);
    }
}

void gol_connection_wake(void *connection)
{
    gol_connection *c = connection;
    pthread_mutex_lock(&c->lock);
    wake_locked(c);
    pthread_mutex_unlock(&c->lock);
}

void gol_connection_leave(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_gone = true;
    wake_locked(c);
    pthread_mutex_unlock(&c->lock);
}

/* What is on its way is still read and answered if that takes no waiting. libmicrohttpd itself may overlook the end of a
 * connection when it comes together with the last bytes, hence the nearer deadline. */
void gol_connection_hang_up(gol_connection *c)
{
    const uint64_t grace_end_ns = gol_clock_ns() + (uint64_t)HANGUP_GRACE_MS * 1000000u;
    pthread_mutex_lock(&c->lock);
    c->is_half_closed = true;
    if (c->deadline_ns > grace_end_ns)
        c->deadline_ns = grace_end_ns;
    if (c->is_suspended) {
        c->is_gone = true;
        wake_locked(c);
    }
    pthread_mutex_unlock(&c->lock);
}

/* Of a request that is not in, nothing has been answered: the 408 cannot end up inside a reply. */
static void send_408(int fd)
{
    static const char reply[] = "HTTP/1.1 408 Request Timeout\r\n"
                                "Connection: close\r\n"
                                "Content-Length: 0\r\n"
                                "\r\n";
    (void)!send(fd, reply, sizeof reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void gol_connection_drop_if_late(gol_connection *c, uint64_t now_ns)
{
    pthread_mutex_lock(&c->lock);
    if (c->phase != GOL_CONNECTION_ANSWERING && !c->is_gone && now_ns > c->deadline_ns) {
        c->is_gone = true;
        if (c->phase != GOL_CONNECTION_IDLE) {
            gol_log_debug("http", "a request arrives too slowly, closing its connection");
            send_408(c->fd);
        }
        shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd sees it and closes */
    }
    pthread_mutex_unlock(&c->lock);
}

/* ---- libmicrohttpd's thread ---- */

void gol_connection_enter(gol_connection *c, gol_connection_phase phase, uint64_t deadline_ns)
{
    pthread_mutex_lock(&c->lock);
    c->phase = phase;
    if (!c->is_half_closed)
        c->deadline_ns = deadline_ns;
    pthread_mutex_unlock(&c->lock);
}

bool gol_connection_is_gone(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    const bool gone = c->is_gone;
    pthread_mutex_unlock(&c->lock);
    return gone;
}

bool gol_connection_begin_answer(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    const bool gone = c->is_gone;
    if (!gone)
        c->phase = GOL_CONNECTION_ANSWERING;
    pthread_mutex_unlock(&c->lock);
    return !gone;
}

void gol_connection_before_look(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_woken = false;
    pthread_mutex_unlock(&c->lock);
}

bool gol_connection_try_suspend(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_gone = c->is_gone || c->is_half_closed; /* nobody to wait for */
    const bool suspend = !c->is_woken && !c->is_gone;
    if (suspend) {
        c->is_suspended = true;
        MHD_suspend_connection(c->mhd);
    }
    pthread_mutex_unlock(&c->lock);
    return suspend;
}

/* The lane may come to the job at once: its let_go() waits for the lock. The queue is entered under it, so that after leave() has
 * been called for every connection no job can be put any more. */
bool gol_connection_try_enter_lane(gol_connection *c, gol_slow_run *run)
{
    pthread_mutex_lock(&c->lock);
    c->is_gone = c->is_gone || c->is_half_closed;
    const bool enter = !c->is_gone && gol_slow_lane_try_put(c->env->lane, &c->slow_job, run, c);
    if (enter) {
        c->is_in_lane = true;
        c->is_suspended = true;
        MHD_suspend_connection(c->mhd);
    }
    pthread_mutex_unlock(&c->lock);
    return enter;
}

/* ---- the slow lane's thread ---- */

void gol_connection_let_go(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_in_lane = false;
    wake_locked(c);
    pthread_mutex_unlock(&c->lock);
}
