/* Time. Durations use the monotonic clock only; wall time is for display and the API's `created`. */
#ifndef GOL_BASE_CLOCK_H
#define GOL_BASE_CLOCK_H

#include <stdint.h>

uint64_t gol_clock_ns(void);    /* monotonic */
int64_t gol_clock_unix_s(void); /* wall, seconds since 1970 */
int64_t gol_clock_unix_ms(void);

#endif
