/* The system's part of a gate; used by gate.c alone. */
#ifndef GOL_BASE_GATE_SLEEP_H
#define GOL_BASE_GATE_SLEEP_H

#include "base/gate.h"

void gol_gate_sleep_init(gol_gate *gate);
void gol_gate_sleep_deinit(gol_gate *gate);

/* Sleeps if value is still seen; may wake without a reason. */
void gol_gate_sleep(gol_gate *gate, uint32_t seen);
void gol_gate_wake_all(gol_gate *gate);

#endif
