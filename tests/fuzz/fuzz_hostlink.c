/*
 * fuzz_hostlink.c - frames on a BMC's link to its host (net/hostlink.c, net/dhcp4_server.c): an answer fits and is for this link, and what goes on to
 * the stack is TCP to the one port.
 */
#include <stdlib.h>

#include "net/guard.h"
#include "net/hostlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    static struct hostlink link;
    uint8_t mem[HOSTLINK_FRAME_MAX], *frame;
    struct buf answer = BUF_OF(mem);
    size_t n = size < GUARD_FRAME_MIN ? GUARD_FRAME_MIN : size;

    if (link.v4.host.len == 0) {
        struct dhcp4_server v4 = {
            .server = {.family = FAMILY_V4, .b = {169, 254, 106, 1}},
            .host = {.addr = {.family = FAMILY_V4, .b = {169, 254, 106, 2}}, .len = 30}};

        link = (struct hostlink){.link_local = hostlink_address(),
                                 .ula = {.family = FAMILY_V6, .b = {0xfd, 1, 2, 3, 4, 5, [15] = 1}},
                                 .v4 = v4};
        memcpy(link.mac, mac, sizeof(mac));
    }
    frame = calloc(1, n);
    if (frame == NULL)
        return 0;
    if (size)
        memcpy(frame, data, size);
    switch (hostlink_frame(&link, span_of(frame, n), &answer)) {
    case HOSTLINK_ANSWER:
        if (answer.overflow || answer.n < GUARD_FRAME_MIN || memcmp(mem + 6, mac, 6) != 0)
            abort();
        break;
    case HOSTLINK_TCP:
        if (frame[GUARD_ETH + (frame[12] == 0x86 ? 6 : 9)] != 6)
            abort();
        (void)hostlink_is_syn(span_of(frame, n), &(uint16_t){0});
        break;
    default:
        if (answer.n != 0 && !answer.overflow)
            abort();
        break;
    }
    free(frame);
    return 0;
}
