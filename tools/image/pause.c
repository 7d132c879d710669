/*
 * The first process of a pod: it holds the pod's namespaces, reaps what is left to it, and ends when it is told to.
 *
 * SIGTERM and SIGINT end it with 0. As PID 1 of a PID namespace it gets only the signals that it asks for.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    sigset_t awaited;

    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigaddset(&awaited, SIGINT);
    (void)sigaddset(&awaited, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &awaited, NULL) != 0) {
        return 1;
    }
    for (;;) {
        int number = sigwaitinfo(&awaited, NULL);
        if (number == SIGINT || number == SIGTERM) {
            return 0;
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
    }
}
