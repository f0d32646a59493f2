/* Who comes first: an option of the engine, obeyed by the scheduler. */
#ifndef GOL_ENGINE_SCHED_POLICY_H
#define GOL_ENGINE_SCHED_POLICY_H

/* Order in which waiting requests start, and the reverse of the order in which running ones give way. */
typedef enum gol_sched_policy {
    GOL_SCHED_FCFS,     /* first come, first served */
    GOL_SCHED_PRIORITY, /* lower priority number first, then first come */
} gol_sched_policy;

#endif
