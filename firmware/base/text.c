/*
 * text.c - numbers, hex, names, UUIDs, MAC addresses and UTF-8 (RFC 3629, RFC 9562 section 4, RFC 1123 section 2.1).
 */
#include "firmware/base/text.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

enum err text_u64(struct span s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
        return ERR_INPUT;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return ERR_INPUT;
        uint64_t d = (uint64_t)(s.p[i] - '0');
        if (v > max / 10 || d > max - v * 10)
            return ERR_INPUT;
        v = v * 10 + d;
    }
    *ret = v;
    return OK;
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum err text_hex(struct span s, uint8_t *ret, size_t n)
{
    if (s.n % 2 != 0 || s.n / 2 != n)
        return ERR_INPUT;
    for (size_t i = 0; i < s.n; i++) {
        if (hex_digit(s.p[i]) < 0)
            return ERR_INPUT;
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)(hex_digit(s.p[2 * i]) << 4 | hex_digit(s.p[2 * i + 1]));
    return OK;
}

void text_hex_put(struct buf *ret, struct span s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        buf_u8(ret, (uint8_t)digits[s.p[i] >> 4]);
        buf_u8(ret, (uint8_t)digits[s.p[i] & 15]);
    }
}

static bool is_label(struct span s, size_t max, bool either_case)
{
    if (s.n == 0 || s.n > max || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!is_lower(c) && !is_digit(c) && c != '-' && !(either_case && is_upper(c)))
            return false;
    }
    return true;
}

static bool are_labels(struct span s, size_t max, bool either_case)
{
    if (s.n == 0 || s.n > 253 || s.p[s.n - 1] == '.')
        return false;
    while (s.n > 0) {
        if (!is_label(span_cut(&s, '.'), max, either_case))
            return false;
    }
    return true;
}

bool text_is_subdomain(struct span s)
{
    return are_labels(s, 253, false);
}

bool text_is_hostname(struct span s)
{
    return are_labels(s, 63, true);
}

enum err text_uuid(struct span s, uint8_t ret[static 16])
{
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    uint8_t uuid[16];
    size_t n = 0;
    if (s.n != 36)
        return ERR_INPUT;
    for (size_t i = 0; i < COUNT(groups); i++) {
        size_t bytes = groups[i] / 2u;
        if (text_hex(span_cut(&s, '-'), uuid + n, bytes) != OK)
            return ERR_INPUT;
        n += bytes;
    }
    memcpy(ret, uuid, sizeof(uuid));
    return OK;
}

void text_uuid_put(struct buf *ret, const uint8_t uuid[static 16])
{
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_u8(ret, '-');
        text_hex_put(ret, span_of(uuid + i, 1));
    }
}

enum err text_mac(struct span s, uint8_t ret[static 6])
{
    uint8_t mac[6];
    if (s.n != 17)
        return ERR_INPUT;
    for (size_t i = 0; i < 6; i++) {
        if (text_hex(span_cut(&s, ':'), mac + i, 1) != OK)
            return ERR_INPUT;
    }
    memcpy(ret, mac, sizeof(mac));
    return OK;
}

void text_mac_put(struct buf *ret, const uint8_t mac[static 6])
{
    for (size_t i = 0; i < 6; i++) {
        if (i > 0)
            buf_u8(ret, ':');
        text_hex_put(ret, span_of(mac + i, 1));
    }
}

/* Bytes of the UTF-8 sequence at the start of s, or 0 if it is not a valid one (the table of RFC 3629 section 4). */
static size_t utf8_size(struct span s)
{
    uint8_t c = s.p[0];
    uint8_t low =
        0x80; /* bounds of the second byte: they exclude overlong forms, surrogates and what is above 10FFFF */
    uint8_t high = 0xbf;
    size_t n;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        n = 2;
    else if (c >= 0xe0 && c <= 0xef)
        n = 3;
    else if (c >= 0xf0 && c <= 0xf4)
        n = 4;
    else
        return 0;
    if (c == 0xe0)
        low = 0xa0;
    else if (c == 0xed)
        high = 0x9f;
    else if (c == 0xf0)
        low = 0x90;
    else if (c == 0xf4)
        high = 0x8f;
    if (n > s.n || s.p[1] < low || s.p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool text_is_utf8(struct span s)
{
    while (s.n > 0) {
        size_t n = utf8_size(s);
        if (n == 0)
            return false;
        s = span_of(s.p + n, s.n - n);
    }
    return true;
}
