#include "width.h"

#include <stdlib.h>

// Swift Testing begins every test at once. A test then waits for minutes between two of its steps,
// and whatever it expects to happen within a time, such as a kept connection or a valid token, is
// over. With a few at a time each test has the machine's attention, and all take no longer.
__attribute__((constructor)) static void limit_width(void) {
    setenv("SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH", "12", 0);
}
