/*
 * nodejoin_target.c - the map target of a NodeJoin document: which installed system the machine is handed over to.
 */
#include "config/nodejoin_fields.h"
#include "firmware/base/text.h"

enum { LABEL_MAX = 36 }; /* btrfs has 255, a GPT partition 36, ext4 16, xfs 12 */

/* MBR-style partition identifiers: the disk's 32 bits and the partition's number, xxxxxxxx-xx. */
static bool is_mbr_partition(struct span s)
{
    uint8_t disk[4], number[1];
    return s.n == 11 && s.p[8] == '-' && text_hex(span_sub(s, 0, 8), disk, sizeof(disk)) == OK &&
           text_hex(span_sub(s, 9, 2), number, sizeof(number)) == OK;
}

static bool is_uuid(struct span s)
{
    uint8_t uuid[16];
    return text_uuid(s, uuid) == OK;
}

static bool is_partuuid(struct span s)
{
    return is_uuid(s) || is_mbr_partition(s);
}

static bool is_label(struct span s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < s.n; i++) {
        if (!memchr(plain, s.p[i], sizeof(plain) - 1))
            return false;
    }
    return s.n > 0 && s.n <= LABEL_MAX;
}

static enum err read_root(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    static const struct {
        const char *tag;
        bool (*good)(struct span value);
    } forms[] = {{"UUID=", is_uuid}, {"LABEL=", is_label}, {"PARTUUID=", is_partuuid}};
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    for (size_t i = 0; i < COUNT(forms); i++) {
        size_t n = strlen(forms[i].tag);
        if (span_starts(s, forms[i].tag) && forms[i].good(span_sub(s, n, s.n)))
            return span_to_cstr(s, c->n->target_root, sizeof(c->n->target_root));
    }
    return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                      "must be UUID=, LABEL= or PARTUUID= with a UUID or a label of [A-Za-z0-9._-]");
}

enum err nodejoin_read_target(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    static const struct nodejoin_field fields[] = {{"root", read_root}};
    enum err e = nodejoin_map(v, fields, COUNT(fields), c);
    return e == OK && c->n->target_root[0] == 0 ? yaml_fault(c->f, ERR_CONFIG_FIELD, v, "root is missing")
                                                : e;
}
