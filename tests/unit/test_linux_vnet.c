/*
 * test_linux_vnet.c - frames from a packet socket with PACKET_VNET_HDR become frames as they would have been on a wire.
 *
 * Every segment is judged by a receiver's own arithmetic: header and transport checksums over the frame must be right, lengths must agree, and
 * the payload put together again must be what went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/linux/vnet.h"

enum { CAP = 1514, PAYLOAD = 5000 };

static uint32_t add(uint32_t acc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return acc;
}

static uint16_t fold(uint32_t acc)
{
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)acc;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t get16(const uint8_t *p)
{
    return (size_t)(p[0] << 8 | p[1]);
}

static size_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

/* A frame with `n` payload bytes, everything but the checksums filled in. Returns its length; *ret_l4 is the transport header's offset. */
static size_t make(uint8_t *f, bool v6, bool udp, size_t n, size_t *ret_l4)
{
    size_t l4 = 14 + (v6 ? 40 : 20), head = udp ? 8 : 32, len = head + n;

    memset(f, 0, l4 + head);
    memset(f, 0x52, 12);
    put16(f + 12, v6 ? 0x86dd : 0x0800);
    if (v6) {
        f[14] = 0x60;
        put16(f + 18, len);
        f[20] = udp ? 17 : 6;
        f[21] = 64;
        for (size_t i = 0; i < 32; i++)
            f[22 + i] = (uint8_t)(i * 11);
    } else {
        f[14] = 0x45;
        put16(f + 16, 20 + len);
        put16(f + 18, 0xfffe);
        f[22] = 64;
        f[23] = udp ? 17 : 6;
        memcpy(f + 26, "\x0a\x64\x00\x01\x0a\x64\x00\x02", 8);
    }
    put16(f + l4, 443);
    put16(f + l4 + 2, 50000);
    if (udp) {
        put16(f + l4 + 4, len);
    } else {
        memcpy(f + l4 + 4, "\xff\xff\xf0\x00", 4);
        f[l4 + 12] = 0x80;
        f[l4 + 13] = 0x99; /* CWR, ACK, PSH, FIN */
    }
    for (size_t i = 0; i < n; i++)
        f[l4 + head + i] = (uint8_t)(i * 7 + i / 251);
    *ret_l4 = l4;
    return l4 + len;
}

static void check_wire(const uint8_t *f, bool v6, bool udp, size_t l4, size_t payload)
{
    size_t len = (udp ? 8u : 32u) + payload;
    uint32_t pseudo = add((uint32_t)len + (udp ? 17 : 6), v6 ? f + 22 : f + 26, v6 ? 32 : 8);

    assert_int_equal(fold(add(pseudo, f + l4, len)), 0xffff);
    if (v6) {
        assert_int_equal(get16(f + 18), len);
    } else {
        assert_int_equal(get16(f + 16), 20 + len);
        assert_int_equal(fold(add(0, f + 14, 20)), 0xffff);
    }
    if (udp)
        assert_int_equal(get16(f + l4 + 4), len);
}

static void cut(bool v6, bool udp, uint8_t type, uint16_t size)
{
    static uint8_t frame[PAYLOAD + 200], out[CAP];
    struct vnet_hdr h = {.flags = VNET_NEEDS_CSUM, .gso_type = type, .gso_size = size};
    struct vnet v = {0};
    size_t l4, n = make(frame, v6, udp, PAYLOAD, &l4), head = l4 + (udp ? 8 : 32), done = 0, count = 0, got;

    assert_int_equal(vnet_take(&v, &h, frame, n), OK);
    while ((got = vnet_next(&v, out, sizeof(out))) > 0) {
        size_t payload = PAYLOAD - done < size ? PAYLOAD - done : size;
        assert_int_equal(got, head + payload);
        check_wire(out, v6, udp, l4, payload);
        assert_memory_equal(out + head, frame + head + done, payload);
        if (!udp) {
            assert_int_equal(get32(out + l4 + 4), (uint32_t)(0xfffff000u + done));
            assert_int_equal(out[l4 + 13] & 0x09, done + payload == PAYLOAD ? 0x09 : 0);
            assert_int_equal(out[l4 + 13] & 0x80, done == 0 ? 0x80 : 0);
        }
        if (!v6)
            assert_int_equal(get16(out + 18), (0xfffe + count) & 0xffff);
        done += payload;
        count++;
    }
    assert_int_equal(done, PAYLOAD);
    assert_false(v.waiting);
}

static void test_super_frames(void **state)
{
    (void)state;
    cut(false, false, VNET_GSO_TCPV4, 1436);
    cut(true, false, VNET_GSO_TCPV6, 1416);
    cut(false, true, VNET_GSO_UDP_L4, 1400);
    cut(true, true, VNET_GSO_UDP_L4, 1300);
    cut(false, false, VNET_GSO_TCPV4 | VNET_GSO_ECN, 1000);
    cut(false, false, VNET_GSO_TCPV4, 1); /* one byte each */
}

/* UDP with a started checksum, as a DHCP server on a veth sends it. */
static void test_partial_checksum(void **state)
{
    uint8_t frame[400], out[CAP];
    struct vnet_hdr h = {.flags = VNET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
    struct vnet v = {0};
    size_t l4, n = make(frame, false, true, 301, &l4);

    (void)state;
    put16(frame + l4 + 6, fold(add(17 + 309, frame + 26, 8)));
    assert_int_equal(vnet_take(&v, &h, frame, n), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), n);
    assert_int_equal(fold(add(add(17 + 309, out + 26, 8), out + l4, 309)), 0xffff);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), 0);
}

/* A UDP checksum that comes out as 0 must not be written as 0, which would mean that there is none. */
static void test_zero_checksum(void **state)
{
    uint8_t frame[64] = {0}, out[CAP];
    struct vnet_hdr h = {.flags = VNET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
    struct vnet v = {0};

    (void)state;
    put16(frame + 34, 0xffff);
    assert_int_equal(vnet_take(&v, &h, frame, sizeof(frame)), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), sizeof(frame));
    assert_int_equal(get16(out + 40), 0xffff);
}

static void test_untouched_and_padded(void **state)
{
    uint8_t frame[42], out[CAP];
    struct vnet_hdr h = {0};
    struct vnet v = {0};

    (void)state;
    memset(frame, 0xa5, sizeof(frame));
    memset(out, 0xee, sizeof(out));
    assert_int_equal(vnet_take(&v, &h, frame, sizeof(frame)), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), VNET_FRAME_MIN);
    assert_memory_equal(out, frame, sizeof(frame));
    for (size_t i = sizeof(frame); i < VNET_FRAME_MIN; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(out[VNET_FRAME_MIN], 0xee);
}

/* What does not fit together is refused, and nothing outside the frame is touched (the sanitizers watch). */
/* The FCS of a full frame, and padding behind a short one, are cut off; a frame that is no IP packet, or says nonsense, is left as it is. */
static void test_trailer(void **state)
{
    uint8_t frame[CAP + 4], out[CAP];
    struct vnet_hdr none = {0};
    size_t l4;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct vnet v = {0};
        size_t n = make(frame, v6, false, CAP - 14 - (v6 ? 40 : 20) - 32, &l4);
        assert_int_equal(n, CAP);
        assert_int_equal(vnet_take(&v, &none, frame, n + 4), OK);
        assert_int_equal(vnet_next(&v, out, sizeof(out)), CAP);
        assert_memory_equal(out, frame, CAP);
        n = make(frame, v6, false, 100, &l4);
        assert_int_equal(vnet_take(&v, &none, frame, n + 4), OK);
        assert_int_equal(vnet_next(&v, out, sizeof(out)), n);
        put16(frame + (v6 ? 18 : 16), 0);
        assert_int_equal(vnet_take(&v, &none, frame, n + 4), OK);
        assert_int_equal(vnet_next(&v, out, sizeof(out)), n + 4);
        put16(frame + (v6 ? 18 : 16), 60000);
        assert_int_equal(vnet_take(&v, &none, frame, n + 4), OK);
        assert_int_equal(vnet_next(&v, out, sizeof(out)), n + 4);
        put16(frame + 12, 0x0806);
        assert_int_equal(vnet_take(&v, &none, frame, n + 4), OK);
        assert_int_equal(vnet_next(&v, out, sizeof(out)), n + 4);
    }
}

static void test_refused(void **state)
{
    static const struct {
        struct vnet_hdr h;
        size_t n;
    } rows[] = {
        {{.flags = 0}, 13},                                                     /* no Ethernet header */
        {{.flags = VNET_NEEDS_CSUM, .csum_start = 100}, 100},                   /* starts behind the end */
        {{.flags = VNET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 65}, 100}, /* last byte outside */
        {{.flags = VNET_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535},
         100},                                                /* would wrap in 16 bits */
        {{.gso_type = VNET_GSO_TCPV4, .gso_size = 0}, 100},   /* would never end */
        {{.gso_type = VNET_GSO_TCPV6, .gso_size = 10}, 100},  /* the frame is IPv4 */
        {{.gso_type = VNET_GSO_UDP_L4, .gso_size = 10}, 100}, /* the frame is TCP */
        {{.gso_type = 3, .gso_size = 10}, 100},               /* UDP fragmentation */
        {{.gso_type = VNET_GSO_TCPV4, .gso_size = 10}, 53},   /* TCP header cut off */
        {{.gso_type = VNET_GSO_TCPV4, .gso_size = 10}, 60},   /* TCP options cut off */
        {{.gso_type = VNET_GSO_TCPV4, .gso_size = 10}, 66},   /* no payload */
    };
    static const uint8_t bad_length[] = {0x40, 0x4f}; /* IPv4 headers of 0 and 60 bytes */

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t whole[400];
        struct vnet v = {0};
        size_t l4;
        (void)make(whole, false, false, 200, &l4);
        uint8_t *frame = test_malloc(rows[i].n);
        memcpy(frame, whole, rows[i].n);
        assert_int_equal(vnet_take(&v, &rows[i].h, frame, rows[i].n), ERR_INPUT);
        assert_false(v.waiting);
        test_free(frame);
    }
    for (size_t i = 0; i < COUNT(bad_length); i++) {
        uint8_t frame[70];
        struct vnet_hdr h = {.gso_type = VNET_GSO_TCPV4, .gso_size = 10};
        struct vnet v = {0};
        uint8_t whole[400];
        size_t l4;
        (void)make(whole, false, false, 200, &l4);
        memcpy(frame, whole, sizeof(frame));
        frame[14] = bad_length[i];
        assert_int_equal(vnet_take(&v, &h, frame, sizeof(frame)), ERR_INPUT);
    }
}

/* A TCP header that claims fewer than 20 bytes. */
static void test_refused_tcp_header(void **state)
{
    uint8_t frame[300];
    struct vnet_hdr h = {.gso_type = VNET_GSO_TCPV4, .gso_size = 10};
    struct vnet v = {0};
    size_t l4, n = make(frame, false, false, 200, &l4);

    (void)state;
    frame[l4 + 12] = 0x40;
    assert_int_equal(vnet_take(&v, &h, frame, n), ERR_INPUT);
}

/* Segments larger than the reader's buffer, and jumbo frames, are dropped; the next frame is not harmed. */
static void test_too_large(void **state)
{
    static uint8_t frame[PAYLOAD + 200], out[CAP];
    struct vnet_hdr super = {.gso_type = VNET_GSO_TCPV4, .gso_size = 4000}, plain = {0};
    struct vnet v = {0};
    size_t l4, n = make(frame, false, false, PAYLOAD, &l4);

    (void)state;
    assert_int_equal(vnet_take(&v, &super, frame, n), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), 0);
    assert_false(v.waiting);
    assert_int_equal(vnet_take(&v, &plain, frame, n), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), 0);
    assert_int_equal(vnet_take(&v, &plain, frame, CAP), OK);
    assert_int_equal(vnet_next(&v, out, sizeof(out)), CAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_super_frames),  cmocka_unit_test(test_partial_checksum),
        cmocka_unit_test(test_zero_checksum), cmocka_unit_test(test_untouched_and_padded),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_refused_tcp_header),
        cmocka_unit_test(test_too_large),     cmocka_unit_test(test_trailer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
