/*
 * scenario.h - what the scenarios share: one simulated machine (boards/sim) on the scripted link of tests/unit/netpeer.h.
 */
#ifndef JOINBOOT_TESTS_SCENARIO_SCENARIO_H
#define JOINBOOT_TESTS_SCENARIO_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boards/sim/sim.h"
#include "tests/unit/netpeer.h"

#define SCENARIO_SLAAC "fd00:1::ff:fe00:1" /* from 02:00:00:00:00:01 */

extern struct sim machine;
extern const char *scenario_root; /* the PEM file whose CA the site trusts; set anew by scenario_setup */

/* Another machine that defends this IPv6 address against every probe; NULL: nobody does. Set anew by scenario_setup. */
extern const char *scenario_defended;

/* A new machine on a fresh link, switched off, with the site below. For cmocka; the second one cuts its power. */
int scenario_setup(void **unused);
int scenario_teardown(void **unused);
/* The same machine as a BMC: NIC 0 leads to the link, NIC 1 to a host that says nothing. */
int scenario_setup_bmc(void **unused);

/* A site with one trusted key, one root, https://config.lab/n1.jws, and these lines. */
void scenario_site(const char *more);
/* The same with an operating system under the agent. */
void scenario_os(void);

/* Each of these fails the test with the end of the console if a promise that holds in every scenario is broken: the process crashed, a turn took
 * more than LIMIT_TURN_MS, the watchdog was not fed once a turn, or the agent turned without end. */
void scenario_boot(void);
/* `text` must come within so many milliseconds behind what was expected before. */
void scenario_expect(const char *text, uint64_t ms);
/* Runs for so long; `text` must not come. */
void scenario_never(const char *text, uint64_t ms);
void scenario_run(uint64_t ms);
void scenario_carrier(bool on);

/* Frames of netpeer's that nobody asked for. */
void scenario_claim6(const char *addr);
void scenario_claim4(const char *addr);
void scenario_ra(unsigned lifetime_s);

/* Starts the real servers of peers.py, once per program, and makes the site trust the config server; it serves what was published last. */
void scenario_servers(const char *more);
/* Signs a bundle with the site's key and serves it as /n1.jws: the NodeJoin document with this sequence, these lines, and the time window around
 * now; then a worker's document with this node-ip (NULL: none). */
void scenario_publish(unsigned sequence, const char *more, const char *node_ip);
/* The same bundle in another text: of its signature (r, s), s becomes n - s, which is as good. */
void scenario_resign(void);
/* The kubeadm documents of what is published from now on: lines behind the worker's document, or, if it begins with `apiVersion`, all. NULL, also
 * after scenario_setup: the worker's document alone. */
extern const char *scenario_document;
/* The machine that it is bound to; 02:00:00:00:00:01 after scenario_setup. */
extern const char *scenario_mac;
/* The public JWK to which the kubeadm documents of what is published from now on are sealed, as a worker's; NULL, also after scenario_setup: they
 * stand in clear. */
extern const char *scenario_seal_to;
/* The public JWK in the newest enrolment record on the console; stays until the next call. */
const char *scenario_device_key(void);
/* A certificate that peers.py made: `node`, and `short` (a day), `expired` and `late` (valid in an hour) for kubelet, `kube-ca`, which signed them. */
void scenario_pem(const char *name, struct os_pem *ret);
/* `config` or `api` serves in another way (peers.py); "" is the honest one. */
void scenario_mode(const char *server, const char *mode);

/* How often a text stands on the console. */
unsigned scenario_count(const char *text);

#define SCENARIO(f) cmocka_unit_test_setup_teardown(f, scenario_setup, scenario_teardown)
/* The same test with the BMC's table. */
#define SCENARIO_BMC(f)                                             \
    {                                                               \
        "bmc_" #f, (f), scenario_setup_bmc, scenario_teardown, NULL \
    }

#endif
