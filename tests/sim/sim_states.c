/* Slots that remember what they were given, and who has them. */
#include "sim/sim_states.h"

#include <string.h>

#include "base/mem.h"

static void expect(const sim_place *place, const char *what, int64_t found, int64_t expected)
{
    if (found != expected)
        sim_violation(place, what, found, expected);
}

void sim_states_init(sim_states *states, int32_t n_slots)
{
    *states = (sim_states){.n_slots = n_slots};
    states->contents = gol_xcalloc((size_t)n_slots + 1, sizeof *states->contents);
    states->n_holders = gol_xcalloc((size_t)n_slots + 1, sizeof *states->n_holders);
}

void sim_states_deinit(sim_states *states)
{
    gol_free(states->n_holders);
    gol_free(states->contents);
    *states = (sim_states){0};
}

void sim_states_copy(sim_states *states, const gol_plan *plan)
{
    for (int32_t i = 0; i < plan->n_state_copies; i++)
        states->contents[plan->state_copies[i].dst_slot] =
            states->contents[plan->state_copies[i].src_slot];
    states->n_resumed += plan->n_state_copies;
}

void sim_states_compute(sim_states *states, const gol_seq *seq, const uint64_t *contents,
                        const sim_place *place)
{
    if (states->n_slots == 0)
        return;
    const gol_seq_state *state = &seq->state;
    if (seq->n_computed > 0)
        expect(place, "a slot holds another state", (int64_t)states->contents[state->slot],
               (int64_t)contents[seq->n_computed - 1]);
    for (int32_t i = 0; i < state->n_snapshots; i++) {
        const gol_state_snapshot *s = &state->snapshots[i];
        expect(place, "a snapshot lies in its sequence's slot", s->slot == state->slot, false);
        states->contents[s->slot] = contents[seq->n_computed + s->n_rows - 1];
    }
    states->contents[state->slot] = contents[seq->n_computed + seq->n_scheduled - 1];
}

/* Of the queue, which holds n_slots each or none. */
static void count_sequences(sim_states *states, const gol_seq_queue *queue, bool runs,
                            const sim_place *place)
{
    for (const gol_seq *seq = queue->head; seq; seq = seq->next) {
        expect(place, "a sequence has a slot and does not run, or none and runs",
               seq->state.slot >= 0, runs && states->n_slots > 0);
        expect(place, "snapshots are left over", seq->state.n_snapshots, 0);
        if (seq->state.slot >= 0)
            states->n_holders[seq->state.slot]++;
    }
}

static void check_block(sim_states *states, const sim_memory *memory, const gol_scheduler *s,
                        const gol_block *block, const sim_place *place)
{
    const int32_t slot = block->state_slot;
    if (slot < 0)
        return;
    const gol_state_slot *slots = s->kv->states.slots;
    expect(place, "a snapshot of another block", slots[slot].block == block, true);
    expect(place, "a snapshot of a block that is not full", block->n_filled, memory->block_size);
    states->n_holders[slot]++;
    const sim_slot *last = memory->slots + (ptrdiff_t)block->block_id * memory->block_size +
                           memory->block_size - 1;
    expect(place, "a snapshot of another state", (int64_t)states->contents[slot],
           (int64_t)last->content);
}

void sim_states_check(sim_states *states, const sim_memory *memory, const gol_scheduler *s,
                      const sim_place *place)
{
    const gol_state_pool *pool = &s->kv->states;
    memset(states->n_holders, 0, (size_t)states->n_slots * sizeof *states->n_holders);
    count_sequences(states, &s->running, true, place);
    count_sequences(states, &s->waiting, false, place);
    for (int32_t i = 0; i < memory->n_blocks; i++)
        check_block(states, memory, s, &s->kv->pool.blocks[i], place);
    int32_t n_held = 0;
    for (int32_t i = 0; i < states->n_slots; i++) {
        const gol_state_slot *slot = &pool->slots[i];
        const bool is_free = slot->next && !slot->block;
        expect(place, "a slot has several holders, or none and is not free", states->n_holders[i],
               !is_free);
        n_held += slot->next == NULL;
    }
    if (states->n_slots > 0)
        expect(place, "slots that sequences hold", n_held, s->running.n);
    expect(place, "slots in the list", pool->n_listed, states->n_slots - n_held);
}
