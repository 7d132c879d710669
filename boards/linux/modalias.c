/*
 * modalias.c - see modalias.h.
 */
#include "boards/linux/modalias.h"

/* One set, *p behind its `[`; moves *p behind the `]`. False also for a set that does not end. */
static bool in_set(struct span pattern, size_t *p, uint8_t c)
{
    bool hit = false;

    for (size_t i = *p; i < pattern.n; i++) {
        if (pattern.p[i] == ']') {
            *p = i + 1;
            return hit;
        }
        if (pattern.n - i > 2 && pattern.p[i + 1] == '-' && pattern.p[i + 2] != ']') {
            hit = hit || (c >= pattern.p[i] && c <= pattern.p[i + 2]);
            i += 2;
        } else {
            hit = hit || c == pattern.p[i];
        }
    }
    *p = pattern.n + 1;
    return false;
}

/* One element of the pattern that is not `*`, against one byte. */
static bool step(struct span pattern, size_t *p, uint8_t c)
{
    uint8_t want = pattern.p[(*p)++];

    if (want == '[')
        return in_set(pattern, p, c);
    return want == '?' || want == c;
}

bool modalias_match(struct span pattern, struct span text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;

    /* Going back only to the last `*` is enough, and keeps the work at pattern times text. */
    while (t < text.n) {
        size_t q = p;
        if (p < pattern.n && pattern.p[p] == '*') {
            star = ++p;
            star_t = t;
        } else if (p < pattern.n && step(pattern, &q, text.p[t])) {
            p = q;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

/* memchr, not span_cut: these files have up to a million bytes, and are read many times at a start. */
static struct span cut_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->p, '\n', rest->n);
    struct span line = span_of(rest->p, end ? (size_t)(end - rest->p) : rest->n);

    *rest = end ? span_of(end + 1, rest->n - line.n - 1) : (struct span){0};
    return line;
}

bool modalias_next(struct span *rest, struct span *ret_pattern, struct span *ret_module)
{
    while (rest->n > 0) {
        struct span line = cut_line(rest);
        if (!span_starts(line, "alias "))
            continue;
        (void)span_cut(&line, ' ');
        *ret_pattern = span_cut(&line, ' ');
        *ret_module = span_trim(line);
        return true;
    }
    return false;
}

bool modalias_same_name(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t x = a.p[i] == '-' ? '_' : a.p[i], y = b.p[i] == '-' ? '_' : b.p[i];
        if (x != y)
            return false;
    }
    return true;
}

struct span modalias_file_name(struct span path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/')
            return span_sub(path, i, span_find(span_sub(path, i, path.n), '.'));
    return span_sub(path, 0, span_find(path, '.'));
}

bool modalias_dep(struct span file, struct span name, struct span *ret_path, struct span *ret_needs)
{
    while (file.n > 0) {
        struct span line = cut_line(&file);
        struct span path = span_cut(&line, ':');
        if (!modalias_same_name(modalias_file_name(path), name))
            continue;
        *ret_path = path;
        *ret_needs = span_trim(line);
        return true;
    }
    return false;
}

bool modalias_softdep(struct span *rest, struct span name, bool post, struct span *ret_names)
{
    const char *own = post ? "post:" : "pre:", *other = post ? "pre:" : "post:";

    while (rest->n > 0) {
        struct span line = cut_line(rest);
        size_t at;
        if (!span_is(span_cut(&line, ' '), "softdep") || !modalias_same_name(span_cut(&line, ' '), name))
            continue;
        at = span_find_str(line, own);
        if (at == line.n)
            continue;
        line = span_sub(line, at + strlen(own), line.n);
        *ret_names = span_trim(span_sub(line, 0, span_find_str(line, other)));
        return true;
    }
    return false;
}

bool modalias_is_wanted(struct span path)
{
    /* Anywhere in the path: vendors' folders repeat the kernel's. */
    static const char *const unwanted[] = {
        "/sound/",
        "drivers/accel/",
        "drivers/bluetooth/",
        "drivers/comedi/",
        "drivers/crypto/",
        "drivers/edac/",
        "drivers/firewire/",
        "drivers/firmware/",
        "drivers/gpu/",
        "drivers/hid/",
        "drivers/hwmon/",
        "drivers/i2c/",
        "drivers/iio/",
        "drivers/input/",
        "drivers/leds/",
        "drivers/media/",
        "drivers/misc/mei/",
        "drivers/net/wire",
        "drivers/net/wwan/",
        "drivers/nfc/",
        "drivers/parport/",
        "drivers/platform/",
        "drivers/staging/",
        "drivers/thermal/",
        "drivers/tty/",
        "drivers/usb/class",
        "drivers/usb/gadget",
        "drivers/usb/serial",
        "drivers/video/",
        "drivers/char/agp/",
        "isdn/",
        "kernel/arch/",
    };

    for (size_t i = 0; i < COUNT(unwanted); i++)
        if (span_find_str(path, unwanted[i]) < path.n)
            return false;
    return true;
}
