/*
 * bmcinit.c - the system below a service on the lab's Linux BMC: PID 1, which mounts, loads drivers, names links, and keeps one service running as its
 * unit says, or hands over to an installed system. It reads /etc/bmcinit, a command per line, its words apart by one space:
 *
 *   load FILE           a kernel module
 *   name OLD NEW        a network link's name
 *   mount DEVICE DIR    ext4, once the device is there
 *   caps N...           the only capabilities that the service may have
 *   run FILE ARG...     the service; started again when it ends, and the commands behind this one are not read
 *   root DEVICE         an installed system on ext4: its init takes this one's place
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 16, TRIES = 600, TRY_MS = 100 };

struct command {
    char line[512];
    char *word[WORDS + 1];
    unsigned n;
};

static void tell(const char *what, const char *which)
{
    printf("bmcinit: %s %s: %s\n", what, which, strerror(errno));
}

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL);
}

static bool next(FILE *f, struct command *c)
{
    c->n = 0;
    if (!fgets(c->line, sizeof(c->line), f))
        return false;
    c->line[strcspn(c->line, "\n")] = 0;
    for (char *p = c->line; c->n < WORDS && *p;) {
        c->word[c->n++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = 0;
    }
    c->word[c->n] = NULL;
    return true;
}

static void load(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
        tell("load", file);
    if (fd >= 0)
        close(fd);
}

static void name(const char *old, const char *new)
{
    struct ifreq r = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", old);
    (void)snprintf(r.ifr_newname, sizeof(r.ifr_newname), "%s", new);
    if (fd < 0 || ioctl(fd, SIOCSIFNAME, &r) != 0)
        tell("name", old);
    if (fd >= 0)
        close(fd);
}

static void mount_ext4(const char *device, const char *folder)
{
    for (int i = 0; i < TRIES && access(device, F_OK) != 0; i++)
        pause_ms(TRY_MS);
    if (mount(device, folder, "ext4", 0, NULL) != 0)
        tell("mount", device);
}

static void switch_root(const char *device)
{
    char *const argv[] = {"/sbin/init", NULL};

    mount_ext4(device, "/root");
    if (chdir("/root") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0)
        tell("root", device);
    else
        (void)execv(argv[0], argv);
    tell("run", argv[0]);
}

static uint64_t capabilities(const struct command *c)
{
    uint64_t set = 0;

    for (unsigned i = 1; i < c->n; i++)
        set |= UINT64_C(1) << strtoul(c->word[i], NULL, 10);
    return set;
}

static _Noreturn void become(const struct command *c, uint64_t allowed)
{
    for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(allowed >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
            tell("drop capabilities", c->word[1]);
            _exit(126);
        }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(126);
    (void)setsid();
    (void)execv(c->word[1], c->word + 1);
    tell("run", c->word[1]);
    _exit(127);
}

/* What the command may do, as the kernel sees it. */
static void show_capabilities(pid_t pid)
{
    char path[64], line[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "CapEff", 6) == 0)
            printf("bmcinit: %s", line);
    if (f)
        fclose(f);
}

/* What a service manager does for Restart=always. */
static _Noreturn void keep_running(const struct command *c, uint64_t allowed)
{
    for (;;) {
        int status = 0;
        pid_t pid = fork(), ended;
        if (pid == 0)
            become(c, allowed);
        printf("bmcinit: %s is process %d\n", c->word[1], (int)pid);
        pause_ms(1000); /* it is that command by then */
        show_capabilities(pid);
        do
            ended = wait(&status);
        while (ended > 0 && ended != pid);
        printf("bmcinit: %s ended with wait status %d\n", c->word[1], status);
        pause_ms(1000);
    }
}

int main(void)
{
    struct command c;
    uint64_t allowed = UINT64_MAX;
    FILE *f;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)mount("none", "/proc", "proc", 0, NULL);
    (void)mount("none", "/sys", "sysfs", 0, NULL);
    (void)mount("none", "/dev", "devtmpfs", 0, NULL);
    (void)mount("none", "/run", "tmpfs", 0, NULL);
    f = fopen("/etc/bmcinit", "r");
    while (f && next(f, &c)) {
        const char *what = c.n > 0 ? c.word[0] : "";
        if (c.n == 2 && strcmp(what, "load") == 0)
            load(c.word[1]);
        else if (c.n == 3 && strcmp(what, "name") == 0)
            name(c.word[1], c.word[2]);
        else if (c.n == 3 && strcmp(what, "mount") == 0)
            mount_ext4(c.word[1], c.word[2]);
        else if (c.n == 2 && strcmp(what, "root") == 0)
            switch_root(c.word[1]);
        else if (strcmp(what, "caps") == 0)
            allowed = capabilities(&c);
        else if (c.n > 1 && strcmp(what, "run") == 0)
            keep_running(&c, allowed);
        else
            printf("bmcinit: unknown command %s\n", what);
    }
    tell("nothing to run in", "/etc/bmcinit");
    for (;;)
        pause_ms(1000);
}
