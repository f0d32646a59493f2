/* The CPU quota that a container or a systemd unit puts on this process (Linux control groups, version 2 and 1). */
#ifndef GOL_BASE_CGROUP_H
#define GOL_BASE_CGROUP_H

/* The smallest quota on the way from our group up to the root, in processors, rounded up, >= 1; 0 when there is none or it
 * cannot be found out. All files are looked for under root: "" for this machine, a folder in tests. */
int gol_cgroup_n_cpus(const char *root);

#endif
