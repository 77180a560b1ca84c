#ifndef GATEPOST_CPOSTGRESQL_H
#define GATEPOST_CPOSTGRESQL_H

#include <libpq-fe.h>

#endif
