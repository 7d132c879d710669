/*
 * clock.c - see clock.h.
 */
#include "boards/linux/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/sysfile.h"
#include "firmware/base/text.h"

enum { NEVER_SET_S = 366 * 24 * 3600 }; /* a system clock in its first year counts from power-on */

uint64_t clock_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool read_rtc(int64_t *ret_unix_s)
{
    struct rtc_time t;
    int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    bool good;

    if (fd < 0)
        return false;
    good = sysfile_ioctl(fd, RTC_RD_TIME, &t) == 0;
    close(fd);
    if (good)
        *ret_unix_s = text_civil(t.tm_year + 1900, (unsigned)t.tm_mon + 1, (unsigned)t.tm_mday,
                                 (unsigned)t.tm_hour, (unsigned)t.tm_min, (unsigned)t.tm_sec);
    return good;
}

bool clock_wall(bool pid1, int64_t *ret_unix_s)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (t.tv_sec < NEVER_SET_S && pid1)
        return read_rtc(ret_unix_s);
    *ret_unix_s = t.tv_sec;
    return true;
}

static int digits(const char *text, unsigned n)
{
    int value = 0;

    for (unsigned i = 0; i < n; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

static void write_rtc(int64_t unix_s)
{
    struct rtc_time t = {0};
    int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    char text[32];
    struct buf b = BUF_OF(text);

    if (fd < 0)
        return;
    /* The C library's gmtime_r brings time zones and an allocator with it. 2026-11-23T04:50:51Z */
    text_time_put(&b, unix_s);
    t.tm_year = digits(text, 4) - 1900;
    t.tm_mon = digits(text + 5, 2) - 1;
    t.tm_mday = digits(text + 8, 2);
    t.tm_hour = digits(text + 11, 2);
    t.tm_min = digits(text + 14, 2);
    t.tm_sec = digits(text + 17, 2);
    (void)sysfile_ioctl(fd, RTC_SET_TIME, &t);
    close(fd);
}

enum err clock_set(int64_t unix_s, struct fault *f)
{
    struct timespec t = {.tv_sec = (time_t)unix_s};

    if (clock_settime(CLOCK_REALTIME, &t) != 0)
        return fault_set(f, ERR_HANDOFF, "the system clock: %s", files_reason(errno));
    write_rtc(unix_s);
    return OK;
}

size_t clock_noise(uint8_t *ret, size_t n, uint32_t *ret_bits)
{
    ssize_t got = getrandom(ret, n, GRND_NONBLOCK);

    if (got > 0) {
        *ret_bits = (uint32_t)got * 8;
        return (size_t)got;
    }
    for (size_t i = 0; i < n; i++) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        ret[i] = (uint8_t)t.tv_nsec;
    }
    *ret_bits = 0;
    return n;
}

bool clock_ask_for_noise(void)
{
    uint8_t byte;
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        (void)!getrandom(&byte, sizeof(byte), 0);
        _exit(0);
    }
    return pid > 0;
}
