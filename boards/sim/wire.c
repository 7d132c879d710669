/*
 * wire.c - see wire.h.
 */
#include "boards/sim/wire.h"

#include <errno.h>
#include <sys/socket.h>

bool wire_send(int sock, const struct wire_message *m)
{
    size_t size = offsetof(struct wire_message, bytes) + m->n;
    ssize_t n;

    do
        n = send(sock, m, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

bool wire_recv(int sock, struct wire_message *ret)
{
    ssize_t n;

    do
        n = recv(sock, ret, sizeof(*ret), 0);
    while (n < 0 && errno == EINTR);
    return n >= (ssize_t)offsetof(struct wire_message, bytes) &&
           (size_t)n == offsetof(struct wire_message, bytes) + ret->n;
}
