#ifndef GATEPOST_CLINUX_H
#define GATEPOST_CLINUX_H

#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

/* Functions of the C library that Swift cannot call as they are. */

static inline int gp_prctl_set_dumpable(int is_dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)is_dumpable, 0UL, 0UL, 0UL);
}

/* -1 where the path cannot be followed; 1 where it leads into proc(5), 0 elsewhere. */
static inline int gp_is_of_process(const char *path) {
    struct statfs status;
    if (statfs(path, &status) != 0) return -1;
    return status.f_type == PROC_SUPER_MAGIC;
}

#endif
