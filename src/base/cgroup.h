/* The limits that a container or a systemd unit puts on this process (Linux control groups, version 2 and 1). All files are
 * looked for under root: "" for this machine, a folder in tests. */
#ifndef GOL_BASE_CGROUP_H
#define GOL_BASE_CGROUP_H

#include <stdbool.h>

/* Called with the folder of our group, then of each of its ancestors up to what the mount shows: a limit on any of them
 * binds. controller: of version 1, "cpu" or "memory". */
typedef void gol_cgroup_visit(void *user, const char *folder, bool is_v2);
void gol_cgroup_visit_all(const char *root, const char *controller, gol_cgroup_visit *visit,
                          void *user);

/* The smallest quota among them, in processors, rounded up, >= 1; 0 when there is none or it cannot be found out. */
int gol_cgroup_n_cpus(const char *root);

#endif
