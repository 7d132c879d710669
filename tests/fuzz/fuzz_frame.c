/*
 * fuzz_frame.c - Ethernet frames: the guard, and the readers behind it.
 */
#include <stdlib.h>

#include "net/guard.h"
#include "net/ndp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size < GUARD_FRAME_MIN ? GUARD_FRAME_MIN : size;
    uint8_t *frame = calloc(1, n);
    struct ndp_claim claim;
    struct ndp_ra ra;
    struct ip server;
    uint8_t mac[6];

    if (frame == NULL)
        return 0;
    if (size > 0)
        memcpy(frame, data, size);
    (void)guard_frame(span_of(frame, n));
    ndp_read_claim(span_of(frame, n), &claim);
    if (ndp_read_ra(span_of(frame, n), &ra) && ra.rdnss_count > NDP_RDNSS_MAX)
        abort();
    (void)ndp_read_dhcp4(span_of(frame, n), &server, mac);
    free(frame);
    return 0;
}
