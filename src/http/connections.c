/* The table of open connections: keys, the sweep for slow clients, closing. See connections.h. */
#include "http/connections.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"

int gol_connections_init(gol_connections *cs, int32_t n_slots, gol_err *err)
{
    *cs = (gol_connections){.n_slots = n_slots};
    cs->slots = gol_try_calloc((size_t)n_slots, sizeof(gol_connection *));
    if (cs->slots == NULL)
        return gol_fail(err, GOL_ENOMEM, "http: out of memory for %d connections", n_slots);
    pthread_mutex_init(&cs->lock, NULL);
    return 0;
}

void gol_connections_deinit(gol_connections *cs)
{
    assert(cs->n_open == 0 && cs->n_requests == 0);
    pthread_mutex_destroy(&cs->lock);
    gol_free(cs->slots);
    *cs = (gol_connections){0};
}

/* A key's low half is the slot, its high half a serial number. Probing from the serial finds a free slot soon: there are twice
 * as many slots as connections. */
bool gol_connections_insert(gol_connections *cs, gol_connection *c)
{
    bool inserted = false;
    pthread_mutex_lock(&cs->lock);
    if (cs->n_open < cs->n_slots) {
        const uint32_t serial = cs->next_serial++;
        uint32_t slot = serial % (uint32_t)cs->n_slots;
        while (cs->slots[slot] != NULL)
            slot = (slot + 1) % (uint32_t)cs->n_slots;
        c->key = (uint64_t)serial << 32 | slot;
        c->is_gone = cs->is_closing;
        cs->slots[slot] = c;
        cs->n_open++;
        inserted = true;
    }
    pthread_mutex_unlock(&cs->lock);
    return inserted;
}

void gol_connections_remove(gol_connections *cs, const gol_connection *c)
{
    pthread_mutex_lock(&cs->lock);
    const uint32_t slot = (uint32_t)c->key;
    assert(cs->slots[slot] == c);
    cs->slots[slot] = NULL;
    cs->n_open--;
    pthread_mutex_unlock(&cs->lock);
}

void gol_connections_count_requests(gol_connections *cs, int by)
{
    pthread_mutex_lock(&cs->lock);
    cs->n_requests += by;
    pthread_mutex_unlock(&cs->lock);
}

int gol_connections_n_requests(gol_connections *cs)
{
    pthread_mutex_lock(&cs->lock);
    const int n = cs->n_requests;
    pthread_mutex_unlock(&cs->lock);
    return n;
}

void gol_connections_hang_up(gol_connections *cs, uint64_t key)
{
    pthread_mutex_lock(&cs->lock);
    gol_connection *c = cs->slots[(uint32_t)key];
    if (c != NULL && c->key == key)
        gol_connection_hang_up(c);
    pthread_mutex_unlock(&cs->lock);
}

void gol_connections_close_all(gol_connections *cs)
{
    pthread_mutex_lock(&cs->lock);
    cs->is_closing = true;
    for (int32_t i = 0; i < cs->n_slots; i++) {
        if (cs->slots[i] != NULL)
            gol_connection_leave(cs->slots[i]);
    }
    pthread_mutex_unlock(&cs->lock);
}

void gol_connections_tick(gol_connections *cs, bool wake_all)
{
    const uint64_t now_ns = gol_clock_ns();
    pthread_mutex_lock(&cs->lock);
    for (int32_t i = 0; i < cs->n_slots; i++) {
        gol_connection *c = cs->slots[i];
        if (c == NULL)
            continue;
        gol_connection_drop_if_late(c, now_ns);
        if (wake_all)
            gol_connection_wake(c);
    }
    pthread_mutex_unlock(&cs->lock);
}
