/*
 * loopback.h - sockets of a test's own on the loopback addresses, and sleeping on ksock.h's sockets as the loop does.
 */
#ifndef JOINBOOT_TESTS_UNIT_LOOPBACK_H
#define JOINBOOT_TESTS_UNIT_LOOPBACK_H

#include "tests/unit/testcrypto.h"

#include "boards/linux/ksock.h"

struct ip loopback_addr(const char *text);
/* A socket on the loopback address of a family, with any port or the given one. */
int loopback_socket(bool v6, int type, uint16_t *port);
int loopback_listener(bool v6, uint16_t *port);
/* Sleeps as the loop does. False if there was nothing to wait for within the time. */
bool loopback_doze(int ms);

#endif
