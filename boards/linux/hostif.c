/*
 * hostif.c - see hostif.h.
 *
 * A structure is type, length, handle (2 bytes), fields, then strings that end with two zeros. Of type 42: at 4 the interface's type, at 5 the length
 * of what follows, at 6 the device's type, at 7 its descriptor.
 */
#include "boards/linux/hostif.h"

#include "boards/linux/sysfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    HEADER = 4,
    STRUCTURE_HOST_INTERFACE = 42,
    INTERFACE_NETWORK = 0x40,
    DEVICE_USB_V2 = 4,
    DEVICE_PCI_V2 = 5,
    AT_INTERFACE = 4,
    AT_LENGTH = 5,
    AT_DEVICE = 6,
    AT_USB_MAC = 13, /* behind length, vendor, product, number of the serial number's string */
    AT_PCI_MAC = 16, /* behind length, vendor, device, subsystem's vendor, subsystem */
    MAC = 6
};

static bool names_card(const struct hostif *h, uint8_t ret[static MAC])
{
    size_t at = 0;

    if (h->body[0] != STRUCTURE_HOST_INTERFACE || h->n <= AT_DEVICE ||
        h->body[AT_INTERFACE] != INTERFACE_NETWORK)
        return false;
    if (h->body[AT_DEVICE] == DEVICE_USB_V2)
        at = AT_USB_MAC;
    else if (h->body[AT_DEVICE] == DEVICE_PCI_V2)
        at = AT_PCI_MAC;
    if (at == 0 || at + MAC > h->n || at + MAC > (size_t)AT_DEVICE + h->body[AT_LENGTH])
        return false;
    memcpy(ret, h->body + at, MAC);
    return true;
}

bool hostif_feed(struct hostif *h, struct span table, uint8_t ret[static MAC])
{
    for (size_t i = 0; i < table.n && !h->broken; i++) {
        if (h->n < HEADER || h->n < h->body[1]) {
            h->body[h->n++] = table.p[i];
            h->broken = h->n == HEADER && h->body[1] < HEADER;
            continue;
        }
        h->zeros = table.p[i] ? 0 : h->zeros + 1;
        if (h->zeros < 2)
            continue;
        if (names_card(h, ret))
            return true;
        h->n = 0;
        h->zeros = 0;
    }
    return false;
}

bool hostif_read(const char *root, uint8_t ret[static MAC])
{
    char path[SYSFILE_PATH];
    uint8_t piece[512];
    struct hostif h = {0};
    bool found = false;
    int fd = open(sysfile_path(path, "%s/sys/firmware/dmi/tables/DMI", root), O_RDONLY | O_CLOEXEC);

    for (ssize_t n = 1; fd >= 0 && n > 0 && !found;) {
        n = read(fd, piece, sizeof(piece));
        if (n > 0)
            found = hostif_feed(&h, span_of(piece, (size_t)n), ret);
    }
    if (fd >= 0)
        close(fd);
    return found;
}
