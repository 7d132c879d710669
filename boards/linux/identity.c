/*
 * identity.c - see identity.h.
 */
#include "boards/linux/identity.h"

#include "boards/linux/sysfile.h"
#include "firmware/base/text.h"

static const char *const PLACEHOLDERS[] = {
    "0",
    "0123456789",
    "123456789",
    "1234567890",
    "chassis serial number",
    "default",
    "default string",
    "empty",
    "n/a",
    "na",
    "none",
    "not applicable",
    "not available",
    "not specified",
    "o.e.m.",
    "oem",
    "serial",
    "system serial number",
    "to be filled by o.e.m.",
    "unknown",
    "xxxxxxxx",
};

bool identity_is_serial(struct span text)
{
    text = span_trim(text);
    bool same = true;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return false;
        same = same && text.p[i] == text.p[0];
    }
    /* "0000000", "........", "FFFF" and the empty text name nobody. */
    if (text.n == 0 || text.n >= BOARD_SERIAL_MAX || same)
        return false;
    for (size_t i = 0; i < COUNT(PLACEHOLDERS); i++)
        if (span_is_nocase(text, PLACEHOLDERS[i]))
            return false;
    return true;
}

bool identity_is_uuid(const uint8_t uuid[static 16])
{
    /* 03000200-0400-0500-0006-000700080009 and 00020003-0004-0005-0006-000700080009: a BIOS vendor's default, in both byte orders. */
    static const uint8_t vendor[2][16] = {
        {3, 0, 2, 0, 4, 0, 5, 0, 0, 6, 0, 7, 0, 8, 0, 9},
        {0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9},
    };
    bool same = true;
    for (size_t i = 1; i < 16; i++)
        same = same && uuid[i] == uuid[0];
    return !same && memcmp(uuid, vendor[0], 16) != 0 && memcmp(uuid, vendor[1], 16) != 0;
}

static void take_serial(struct board_identity *id, const char *text)
{
    struct span s = span_trim(span_str(text));
    if (id->serial[0] == 0 && identity_is_serial(s) && span_to_cstr(s, id->serial, sizeof id->serial))
        id->serial[0] = 0;
}

void identity_read(const char *root, struct board_identity *ret)
{
    static const char *const serials[] = {"sys/class/dmi/id/product_serial",
                                          "sys/firmware/devicetree/base/serial-number"};
    char path[SYSFILE_PATH], text[128];
    struct board_identity id = {0};
    /* The kernel swaps the first three fields of an SMBIOS 2.6 UUID, so its text is the one on the machine's label. */
    if (sysfile_text(sysfile_path(path, "%s/sys/class/dmi/id/product_uuid", root), text, sizeof text) &&
        !text_uuid(span_str(text), id.uuid))
        id.has_uuid = identity_is_uuid(id.uuid);
    if (!id.has_uuid)
        memset(id.uuid, 0, sizeof id.uuid);
    for (size_t i = 0; i < COUNT(serials); i++) {
        uint8_t raw[128];
        size_t n;
        if (sysfile_read(sysfile_path(path, "%s/%s", root, serials[i]), raw, sizeof raw - 1, &n))
            continue;
        raw[n] = 0; /* a devicetree string brings its own zero */
        take_serial(&id, (const char *)raw);
    }
    *ret = id;
}
