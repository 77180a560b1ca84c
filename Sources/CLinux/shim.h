#ifndef GATEPOST_CLINUX_H
#define GATEPOST_CLINUX_H

#include <sys/prctl.h>

/* Functions of the C library that take a list of arguments, as functions that Swift can call. */

static inline int gp_prctl_set_dumpable(int is_dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)is_dumpable, 0UL, 0UL, 0UL);
}

#endif
