/*
 * signals.c - see signals.h.
 */
#include "boards/linux/signals.h"

static volatile sig_atomic_t got_child, got_stop, got_reboot;
static sigset_t sleep_mask;
static const int ALL[] = {SIGCHLD, SIGTERM, SIGINT, SIGPWR, SIGUSR2};

static void latch(int number)
{
    if (number == SIGCHLD) {
        got_child = 1;
        return;
    }
    if (number == SIGINT)
        got_reboot = 1;
    got_stop = 1;
}

void signals_init(bool pid1)
{
    struct sigaction act = {.sa_handler = latch, .sa_flags = SA_NOCLDSTOP};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < (pid1 ? COUNT(ALL) : 3); i++) {
        sigaction(ALL[i], &act, NULL);
        sigaddset(&blocked, ALL[i]);
    }
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigprocmask(SIG_BLOCK, &blocked, &sleep_mask);
    for (size_t i = 0; i < COUNT(ALL); i++)
        sigdelset(&sleep_mask, ALL[i]);
}

void signals_take(struct signals_seen *ret)
{
    sigset_t blocked;

    /* What is pending is handled between these two calls, also if the loop never sleeps. */
    sigprocmask(SIG_SETMASK, &sleep_mask, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    *ret = (struct signals_seen){.child = got_child, .stop = got_stop, .reboot = got_reboot};
    if (ret->child)
        got_child = 0;
}

const sigset_t *signals_sleep_mask(void)
{
    return &sleep_mask;
}

void signals_reset(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (size_t i = 0; i < COUNT(ALL); i++)
        sigaction(ALL[i], &act, NULL);
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_default(void)
{
    for (int i = 1; i < 32; i++)
        (void)signal(i, SIG_DFL);
    signals_reset();
}
