/*
 * fsprobe.c - see fsprobe.h.
 */
#include "boards/linux/fsprobe.h"

#include "firmware/base/text.h"

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool get(const struct fsprobe_device *d, uint64_t off, void *ret, size_t n)
{
    return off <= d->size && n <= d->size - off && d->read(d->ctx, off, ret, n);
}

static bool has(const uint8_t *p, const char *magic, size_t n)
{
    return memcmp(p, magic, n) == 0;
}

/* A UUID of zeros is none. */
static void put_uuid(char ret[static 37], const uint8_t *uuid)
{
    static const uint8_t none[16];
    struct buf b = {.p = (uint8_t *)ret, .cap = 37};

    ret[0] = 0;
    if (memcmp(uuid, none, sizeof(none)) == 0)
        return;
    text_uuid_put(&b, uuid);
    ret[36] = 0;
}

/* A field of n bytes that ends at its first zero. */
static void put_label(struct fsprobe *ret, const uint8_t *p, size_t n)
{
    size_t i = 0;

    for (; i < n && i + 1 < sizeof(ret->label) && p[i]; i++)
        ret->label[i] = (char)p[i];
    ret->label[i] = 0;
}

/*
 * What has to be opened before there is a file system. These come first: a mirror's member with its superblock at the end begins like the file
 * system in it, and to write to it alone would break the mirror.
 */

static bool is_md(const struct fsprobe_device *d)
{
    uint8_t sb[8];
    uint64_t sectors = d->size / 512;
    /* 1.1 at the start, 1.2 at 4 KiB, 1.0 within the last 12 KiB, 0.90 in the last whole 64 KiB. */
    uint64_t places[] = {0, 4096, ((sectors - 16) & ~UINT64_C(7)) * 512,
                         ((sectors & ~UINT64_C(127)) - 128) * 512};

    if (sectors < 256)
        return false;
    for (size_t i = 0; i < COUNT(places); i++)
        if (get(d, places[i], sb, sizeof(sb)) && has(sb, "\xfc\x4e\x2b\xa9", 4))
            return true;
    /* 0.90 is in the byte order of the machine that made it. */
    return get(d, places[3], sb, sizeof(sb)) && has(sb, "\xa9\x2b\x4e\xfc", 4);
}

static bool is_lvm2(const struct fsprobe_device *d)
{
    uint8_t sector[32];

    /* The label may be in any of the first four sectors. */
    for (unsigned i = 0; i < 4; i++)
        if (get(d, i * 512, sector, sizeof(sector)) && has(sector, "LABELONE", 8) &&
            has(sector + 24, "LVM2 001", 8))
            return true;
    return false;
}

static bool is_luks(const struct fsprobe_device *d, struct fsprobe *ret)
{
    uint8_t head[208];

    if (!get(d, 0, head, sizeof(head)) || !has(head, "LUKS\xba\xbe", 6))
        return false;
    /* Both versions have the UUID as a text at the same place; LUKS 2 has a label. */
    memcpy(ret->uuid, head + 168, 36);
    ret->uuid[36] = 0;
    if (head[7] == 2)
        put_label(ret, head + 24, 48);
    return true;
}

static bool is_ext4(const struct fsprobe_device *d, struct fsprobe *ret)
{
    uint8_t sb[0x100];

    if (!get(d, 1024, sb, sizeof(sb)) || sb[0x38] != 0x53 || sb[0x39] != 0xef)
        return false;
    if (le32(sb + 0x60) & 0x8) /* incompat: a journal of another file system */
        return false;
    put_uuid(ret->uuid, sb + 0x68);
    put_label(ret, sb + 0x78, 16);
    ret->unclean = le32(sb + 0x60) & 0x4; /* incompat: needs recovery */
    return true;
}

static bool is_erofs(const struct fsprobe_device *d, struct fsprobe *ret)
{
    uint8_t sb[128];

    if (!get(d, 1024, sb, sizeof(sb)) || le32(sb) != 0xe0f5e1e2)
        return false;
    put_uuid(ret->uuid, sb + 48);
    put_label(ret, sb + 64, 16);
    return true;
}

static bool is_squashfs(const struct fsprobe_device *d)
{
    uint8_t sb[32];

    return get(d, 0, sb, sizeof(sb)) && has(sb, "hsqs", 4) && sb[28] == 4 && sb[29] == 0;
}

static bool is_xfs(const struct fsprobe_device *d, struct fsprobe *ret)
{
    uint8_t sb[128];

    if (!get(d, 0, sb, sizeof(sb)) || !has(sb, "XFSB", 4))
        return false;
    put_uuid(ret->uuid, sb + 32);
    put_label(ret, sb + 108, 12);
    return true;
}

static bool is_btrfs(const struct fsprobe_device *d, struct fsprobe *ret)
{
    uint8_t sb[0x12b + 256];

    if (!get(d, 65536, sb, sizeof(sb)) || !has(sb + 64, "_BHRfS_M", 8))
        return false;
    put_uuid(ret->uuid, sb + 32);
    put_label(ret, sb + 0x12b, 256);
    return true;
}

static bool is_swap(const struct fsprobe_device *d)
{
    uint8_t magic[10];

    return get(d, 4096 - 10, magic, sizeof(magic)) && has(magic, "SWAPSPACE2", 10);
}

/* GPT has a protective MBR as well. A boot sector of FAT or of a boot loader has the same last two bytes: then no entry looks like one. */
static bool is_table(const struct fsprobe_device *d)
{
    uint8_t mbr[512];
    bool used = false;

    if (!get(d, 0, mbr, sizeof(mbr)) || mbr[510] != 0x55 || mbr[511] != 0xaa)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *e = mbr + 446 + 16 * i;
        if (e[0] != 0 && e[0] != 0x80)
            return false;
        used = used || (e[4] != 0 && le32(e + 12) != 0);
    }
    return used;
}

void fsprobe(const struct fsprobe_device *d, struct fsprobe *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (is_md(d))
        ret->kind = FSPROBE_MD;
    else if (is_lvm2(d))
        ret->kind = FSPROBE_LVM2;
    else if (is_luks(d, ret))
        ret->kind = FSPROBE_LUKS;
    else if (is_ext4(d, ret))
        ret->kind = FSPROBE_EXT4;
    else if (is_erofs(d, ret))
        ret->kind = FSPROBE_EROFS;
    else if (is_squashfs(d))
        ret->kind = FSPROBE_SQUASHFS;
    else if (is_xfs(d, ret))
        ret->kind = FSPROBE_XFS;
    else if (is_btrfs(d, ret))
        ret->kind = FSPROBE_BTRFS;
    else if (is_swap(d))
        ret->kind = FSPROBE_SWAP;
    else if (is_table(d))
        ret->kind = FSPROBE_TABLE;
}

/* A GUID of GPT: its first three fields are little-endian. */
static void put_guid(char ret[static 37], const uint8_t *p)
{
    const uint8_t uuid[16] = {p[3], p[2], p[1],  p[0],  p[5],  p[4],  p[7],  p[6],
                              p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15]};

    put_uuid(ret, uuid);
}

static void put_utf8(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_u8(b, (uint8_t)c);
    } else if (c < 0x800) {
        buf_u8(b, (uint8_t)(0xc0 | c >> 6));
        buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_u8(b, (uint8_t)(0xe0 | c >> 12));
        buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* The name of an entry: 36 units of UTF-16LE; a surrogate becomes a question mark. */
static void put_name(char ret[static FSPROBE_PART_NAME], const uint8_t *p)
{
    struct buf b = {.p = (uint8_t *)ret, .cap = FSPROBE_PART_NAME - 1};

    for (unsigned i = 0; i < 36; i++) {
        uint32_t c = (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
        if (c == 0)
            break;
        put_utf8(&b, c >= 0xd800 && c < 0xe000 ? '?' : c);
    }
    ret[b.n] = 0;
}

static bool gpt_partition(const struct fsprobe_device *d, unsigned block_size, unsigned number,
                          struct fsprobe_partition *ret)
{
    static const uint8_t unused[16];
    uint8_t head[92], entry[128];
    uint32_t count, size;
    uint64_t off;

    if (!get(d, block_size, head, sizeof(head)) || !has(head, "EFI PART", 8))
        return false;
    count = le32(head + 80);
    size = le32(head + 84);
    off = le64(head + 72);
    /* Bounds that every real table keeps, so that nothing below can overflow. */
    if (size < sizeof(entry) || size > 4096 || count > 4096 || number == 0 || number > count ||
        off > d->size / block_size)
        return false;
    if (!get(d, off * block_size + (uint64_t)(number - 1) * size, entry, sizeof(entry)) ||
        memcmp(entry, unused, sizeof(unused)) == 0)
        return false;
    put_guid(ret->uuid, entry + 16);
    put_name(ret->name, entry + 56);
    return true;
}

bool fsprobe_partition(const struct fsprobe_device *d, unsigned block_size, unsigned number,
                       struct fsprobe_partition *ret)
{
    uint8_t mbr[512];
    struct fsprobe_partition p = {0};
    struct buf b = BUF_OF(p.uuid);

    if (!gpt_partition(d, block_size, number, &p)) {
        if (!get(d, 0, mbr, sizeof(mbr)) || mbr[510] != 0x55 || mbr[511] != 0xaa || number == 0 ||
            number > 4 || mbr[446 + 16 * (number - 1) + 4] == 0 || le32(mbr + 440) == 0)
            return false;
        buf_fmt(&b, "%08x-%02x", le32(mbr + 440), number);
        buf_u8(&b, 0);
    }
    *ret = p;
    return true;
}

const char *fsprobe_name(enum fsprobe_kind kind)
{
    static const char *const names[] = {
        [FSPROBE_UNKNOWN] = "nothing that is known",
        [FSPROBE_EXT4] = "ext4",
        [FSPROBE_EROFS] = "erofs",
        [FSPROBE_SQUASHFS] = "squashfs",
        [FSPROBE_XFS] = "xfs",
        [FSPROBE_BTRFS] = "btrfs",
        [FSPROBE_SWAP] = "swap",
        [FSPROBE_LVM2] = "an LVM2 physical volume",
        [FSPROBE_LUKS] = "a LUKS volume",
        [FSPROBE_MD] = "a member of an md array",
        [FSPROBE_TABLE] = "a partition table",
    };

    return names[kind];
}
