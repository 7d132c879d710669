/*
 * test_phases.c - the table of rows (firmware/agent/phases.c): every row is complete, and every error in every row leads back, never forward.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/agent/phases.h"

static void test_rows_are_complete(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        const struct phase *p = &phases[i];

        /* The one row that only a BMC has. */
        assert_int_equal(p->name == NULL, i == PHASE_SERVE);
        if (!p->name)
            continue;
        assert_true(p->name[0]);
        assert_non_null(p->step);
        assert_true(p->on_error <= i);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(p->name, phases[k].name);
        /* Only `joined` waits by design: kubelet itself goes on trying. */
        assert_int_equal(p->deadline_ms == 0, i == PHASE_JOINED);
        assert_int_equal(p->late != OK, p->deadline_ms != 0);
        assert_true(p->deadline_ms <= 600000);
    }
}

/* Without an operating system the rows in between fall out, and no other row may lead to one of them. */
static void test_host_rows(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        if (!phases[i].needs_host)
            assert_false(phases[phases[i].on_error].needs_host);
    }
    assert_true(phases[PHASE_DISCOVER].needs_host && phases[PHASE_CONFIGURE].needs_host &&
                phases[PHASE_PREFLIGHT].needs_host);
    assert_true(phases[PHASE_HANDOFF].needs_host && phases[PHASE_JOINED].needs_host);
    assert_false(phases[PHASE_COMMIT].needs_host);
}

/* A BMC: nothing of host.h, nothing that joins; the same order, and serve leads to verify. */
static void test_rows_of_a_bmc(void **unused)
{
    const struct phase *rows = phases_bmc.rows;

    (void)unused;
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        if (!rows[i].name)
            continue;
        assert_non_null(rows[i].step);
        assert_true(rows[i].on_error <= i && rows[rows[i].on_error].name);
        assert_false(rows[i].needs_host || rows[i].joins || rows[i].roles || rows[i].glance_ms);
        assert_int_equal(rows[i].deadline_ms == 0, i == PHASE_SERVE);
        assert_int_equal(rows[i].late != OK, rows[i].deadline_ms != 0);
        for (unsigned e = 0; e < ERR_COUNT; e++)
            assert_true(phases_bmc.after(NULL, (enum phase_id)i, (enum err)e) <= i);
        if (i > PHASE_LINK)
            assert_int_equal(phases_bmc.after(NULL, (enum phase_id)i, ERR_LINK_CARRIER), PHASE_LINK);
    }
    assert_int_equal(rows[PHASE_SERVE].next, PHASE_VERIFY);
    assert_null(rows[PHASE_DISCOVER].name);
    assert_null(rows[PHASE_JOINED].name);
}

static void test_never_forward(void **unused)
{
    (void)unused;
    for (unsigned row = 0; row < PHASE_COUNT; row++) {
        for (unsigned e = 0; e < ERR_COUNT; e++)
            assert_true(phases_after((enum phase_id)row, (enum err)e) <= row);
    }
}

/* Carrier and addresses are lost by every row behind link, not only by those that first look for them. */
static void test_network_errors_lead_to_link(void **unused)
{
    static const enum err lost[] = {ERR_LINK_CARRIER, ERR_LINK_NONE, ERR_ADDRESS_DUPLICATE, ERR_ADDRESS_LOST};

    (void)unused;
    for (size_t i = 0; i < COUNT(lost); i++) {
        for (unsigned row = PHASE_LINK; row < PHASE_SERVE; row++)
            assert_int_equal(phases_after((enum phase_id)row, lost[i]), PHASE_LINK);
        assert_int_equal(phases_after(PHASE_IDENTIFY, lost[i]), PHASE_IDENTIFY);
        assert_int_equal(phases_after(PHASE_RESUME, lost[i]), PHASE_RESUME);
    }
}

/* DESIGN: a dead token, a bad pin, an expired config go back to fetch, where a newer sequence may be. */
static void test_config_errors_lead_to_fetch(void **unused)
{
    static const struct {
        enum phase_id row;
        enum err e;
    } rows[] = {
        {PHASE_VERIFY, ERR_CONFIG_SIGNATURE},    {PHASE_PARSE, ERR_CONFIG_FIELD},
        {PHASE_ACCEPT, ERR_CONFIG_EXPIRED},      {PHASE_NETWORK, ERR_NODE_IP},
        {PHASE_DISCOVER, ERR_DISCOVER_PIN},      {PHASE_DISCOVER, ERR_DISCOVER_MISSING},
        {PHASE_CONFIGURE, ERR_API_UNAUTHORIZED}, {PHASE_DISCOVER, ERR_API_UNAUTHORIZED},
        {PHASE_CONFIGURE, ERR_NODE_EXISTS},      {PHASE_PREFLIGHT, ERR_API_UNAUTHORIZED},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(phases_after(rows[i].row, rows[i].e), PHASE_FETCH);
}

/* After the hand-over the kernel has the network: fetching needs it back, and only link takes it back. */
static void test_behind_the_hand_over(void **unused)
{
    (void)unused;
    assert_int_equal(phases_after(PHASE_HANDOFF, ERR_HANDOFF), PHASE_LINK);
    assert_int_equal(phases_after(PHASE_JOINED, ERR_CSR_DENIED), PHASE_LINK);
    assert_int_equal(phases_after(PHASE_JOINED, ERR_API_UNAUTHORIZED), PHASE_LINK);
    for (unsigned e = 0; e < ERR_COUNT; e++) {
        enum phase_id to = phases_after(PHASE_JOINED, (enum err)e);

        assert_true(to == PHASE_JOINED || to == PHASE_LINK);
        to = phases_after(PHASE_HANDOFF, (enum err)e);
        assert_true(to <= PHASE_LINK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_host_rows),
        cmocka_unit_test(test_rows_of_a_bmc),
        cmocka_unit_test(test_never_forward),
        cmocka_unit_test(test_network_errors_lead_to_link),
        cmocka_unit_test(test_config_errors_lead_to_fetch),
        cmocka_unit_test(test_behind_the_hand_over),
    };

    return cmocka_run_group_tests_name("phases", tests, NULL, NULL);
}
