/*
 * pid1.c - see pid1.h.
 */
#include "boards/linux/pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/cgroup.h"
#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/mounts.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/system.h"

enum { PODS_GRACE_MS = 10000, END_GRACE_MS = 5000, UNMOUNT_MS = 30000, CRASH_WAIT_S = 10 };

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Our own crash: only what may be called in a signal handler. A PID 1 that ends panics the kernel without a word; this one says what happened
 * and starts the machine anew, since nobody is there to do it. */
static void crashed(int number)
{
    static const char text[] =
        "joinboot: the agent crashed (internal.state); the machine restarts in 10 seconds\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    /* In a child: it may wait for ever for a volume whose server is gone. */
    if (_Fork() == 0) {
        sync();
        _exit(0);
    }
    pause_ms(CRASH_WAIT_S * 1000);
    (void)reboot(RB_AUTOBOOT);
    for (;;)
        pause_ms(1000);
}

static void catch_crashes(void)
{
    static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP};
    static uint8_t stack[16 * 1024];
    stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction act = {.sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_NODEFER};

    (void)sigaltstack(&own, NULL);
    for (size_t i = 0; i < COUNT(fatal); i++)
        (void)sigaction(fatal[i], &act, NULL);
}

/* On an initramfs without a console node the kernel starts PID 1 with no open files at all. */
static void open_console(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);

    if (fd < 0)
        return;
    for (int i = 0; i < 3; i++)
        if (fd != i)
            (void)dup2(fd, i);
    if (fd > 2)
        close(fd);
}

void pid1_early(void)
{
    static char *const own[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                "HOME=/root", "TERM=linux", "LANG=C.UTF-8", NULL};
    struct stat st;

    environ = (char **)(uintptr_t)own;
    catch_crashes();
    umask(022);
    if (fstat(STDOUT_FILENO, &st) != 0)
        open_console();
    (void)reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes SIGINT */
}

static void tell_mount(void *ctx, const char *target, int error)
{
    struct system *s = ctx;
    char text[200];
    struct buf b = BUF_OF(text);

    buf_fmt(&b, "joinboot: mount %s: %s\n", target, files_reason(error));
    s->board.console(s->board.ctx, buf_span(&b));
}

static void open_buttons(struct system *s)
{
    struct sysfile_dir d;
    const char *name;
    char path[SYSFILE_PATH];
    unsigned n = 0;

    for (unsigned i = 0; i < SYSTEM_BUTTONS; i++) {
        if (s->button_fd[i] >= 0)
            close(s->button_fd[i]);
        s->button_fd[i] = -1;
    }
    if (!sysfile_dir_open(&d, "/dev/input"))
        return;
    while (n < SYSTEM_BUTTONS && (name = sysfile_dir_next(&d)) != NULL) {
        uint8_t keys[KEY_MAX / 8 + 1] = {0};
        int fd = span_starts(span_str(name), "event")
                     ? open(sysfile_path(path, "/dev/input/%s", name), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                     : -1;
        if (fd < 0)
            continue;
        if (sysfile_ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) > 0 &&
            (keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1))
            s->button_fd[n++] = fd;
        else
            close(fd);
    }
    sysfile_dir_close(&d);
}

void pid1_open_devices(struct system *s)
{
    open_buttons(s);
    if (s->watchdog_fd < 0)
        s->watchdog_fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
}

static void tell_modules(struct system *s, uint64_t ms)
{
    const struct modules *m = &s->modules;

    system_say(s, "%u kernel modules loaded in %llu ms", m->loaded, (unsigned long long)ms);
    if (m->failed)
        system_say(s, "%u could not be loaded, the first is %s: %s", m->failed, m->first_failed,
                   files_reason(m->first_error));
}

void pid1_prepare(struct system *s)
{
    /* For containers and pods; a kernel without one of them may have it built in. */
    static const char *const by_name[] = {"overlay", "br_netfilter", "nf_conntrack", "veth",
                                          "bridge",  "evdev",        "button"};
    struct stat st;
    uint64_t begin;

    mounts_make(tell_mount, s);
    if (fstat(STDOUT_FILENO, &st) != 0)
        open_console();
    (void)cgroup_enable();
    cgroup_make("agent");
    cgroup_enter("agent");
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        cgroup_make(s->services[i].name);
    /* Before the first network module: the kernel would configure the same IPv6 address as the agent and answer in its name. */
    (void)!sysctl_set("net.ipv6.conf.default.disable_ipv6", "1", NULL);
    (void)!hostnet_loopback(NULL);
    begin = clock_now_ms();
    modules_init(&s->modules);
    (void)modules_coldplug(&s->modules);
    for (size_t i = 0; i < COUNT(by_name); i++)
        (void)modules_load(&s->modules, by_name[i]);
    tell_modules(s, clock_now_ms() - begin);
    pid1_open_devices(s);
}

bool pid1_root_is_lasting(void)
{
    struct statfs fs;

    if (statfs("/", &fs) != 0 || (fs.f_flags & ST_RDONLY))
        return false;
    return fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
}

bool pid1_is_authenticated(void)
{
    /* UEFI 2.10 section 3.3: four bytes of attributes, then the value. */
    uint8_t raw[5];
    size_t n;

    return !sysfile_read("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", raw,
                         sizeof(raw), &n) &&
           n == sizeof(raw) && raw[4] == 1;
}

struct uevents {
    int fd;
    unsigned left; /* so many are read in a turn */
    char text[4096];
};

/* The modalias in a message of the kernel: "add@/devices/...", then KEY=value texts, each with its zero. NULL: there is none. */
static const char *device_came(const char *text, size_t n)
{
    struct span rest = span_of(text, n);

    if (!span_starts(rest, "add@"))
        return NULL;
    while (rest.n > 0) {
        struct span pair = span_cut(&rest, 0);
        if (span_starts(pair, "MODALIAS="))
            return (const char *)pair.p + sizeof("MODALIAS=") - 1;
    }
    return NULL;
}

static const char *next_device(void *ctx)
{
    struct uevents *u = ctx;
    const char *modalias = NULL;

    for (; u->left > 0 && !modalias; u->left--) {
        ssize_t got = recv(u->fd, u->text, sizeof(u->text) - 1, MSG_DONTWAIT);
        if (got <= 0)
            return NULL;
        u->text[got] = 0;
        modalias = device_came(u->text, (size_t)got);
    }
    return modalias;
}

static bool button_pressed(int *fd)
{
    struct input_event e;
    bool pressed = false;

    errno = 0;
    while (read(*fd, &e, sizeof(e)) == (ssize_t)sizeof(e))
        pressed = pressed || (e.type == EV_KEY && e.code == KEY_POWER && e.value == 1);
    if (errno == ENODEV) { /* it was pulled out; poll would say so for ever */
        close(*fd);
        *fd = -1;
    }
    return pressed;
}

bool pid1_poll(struct system *s)
{
    struct uevents u = {.fd = s->uevent_fd, .left = s->uevent_fd >= 0 ? 32 : 0};
    bool pressed = false;

    modules_for_devices(&s->modules, next_device, &u);
    for (unsigned i = 0; i < SYSTEM_BUTTONS; i++)
        if (s->button_fd[i] >= 0)
            pressed = button_pressed(&s->button_fd[i]) || pressed;
    return pressed;
}

static void feed(void *ctx)
{
    struct system *s = ctx;

    s->board.feed(s->board.ctx);
}

/* Between attempts of what takes a while at the end; the watchdog still has to be fed. */
static void end_wait(struct system *s)
{
    pause_ms(20);
    feed(s);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

void pid1_end_pods(struct system *s)
{
    uint64_t end = clock_now_ms() + PODS_GRACE_MS;
    unsigned left = cgroup_signal("kubepods", SIGTERM);

    if (left == 0)
        return;
    system_say(s, "%u processes of pods are asked to end", left);
    while ((left = cgroup_signal("kubepods", 0)) > 0 && clock_now_ms() < end)
        end_wait(s);
    if (left == 0)
        return;
    system_say(s, "%u processes of pods are killed", left);
    (void)cgroup_signal("kubepods", SIGKILL);
}

/* Whatever is left: shims, orphans, children of jobs. */
static void end_processes(struct system *s)
{
    uint64_t end = clock_now_ms() + END_GRACE_MS;

    (void)kill(-1, SIGTERM);
    while (clock_now_ms() < end) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return; /* no child is left */
        if (pid == 0)
            end_wait(s);
    }
    (void)kill(-1, SIGKILL);
    for (int i = 0; i < 50 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
        end_wait(s);
}

_Noreturn void pid1_end(struct system *s, bool reboot_it)
{
    end_processes(s);
    storage_close(&s->storage);
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        logfile_close(&s->services[i].log);
    system_say(s, "%s", reboot_it ? "restarting the machine" : "switching the machine off");
    bootlog_stop(&s->bootlog);
    switch (mounts_end(UNMOUNT_MS, feed, s)) {
    case HOST_YES:
        break;
    case HOST_NO:
        system_say(s, "a file system is still busy; its journal is replayed at the next start");
        break;
    case HOST_BUSY:
        system_say(s, "a file system does not end within %d s, its server or disk may be gone; going on",
                   UNMOUNT_MS / 1000);
        break;
    }
    if (s->watchdog_fd >= 0 && !reboot_it) {
        (void)!write(s->watchdog_fd, "V", 1); /* magic close: the watchdog stops */
        close(s->watchdog_fd);
    }
    (void)reboot(reboot_it ? RB_AUTOBOOT : RB_POWER_OFF);
    for (;;)
        pause_ms(1000);
}
