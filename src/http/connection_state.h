/* What connection.c and connections.c share. */
#ifndef GOL_HTTP_CONNECTION_STATE_H
#define GOL_HTTP_CONNECTION_STATE_H

#include "http/connection.h"

bool gol_connections_insert(gol_connections *cs, gol_connection *c); /* false: full */
void gol_connections_remove(gol_connections *cs, const gol_connection *c);

void gol_connection_wake(void *connection);   /* any thread; a gol_api_wake */
void gol_connection_leave(gol_connection *c); /* any thread: the client is gone */

#endif
