/*
 * site.c - reads `key = value` lines (SPEC.md, "Site configuration") and the joinboot.* words of a kernel command line.
 *
 * A line is at most SITE_LINE_MAX bytes of printable ASCII; `#` begins a comment only as a line's first character. Every key has one row in
 * the table below: its reader, whether it may come more than once, and whether the kernel command line may set it.
 */
#include "config/site_bmc.h"

#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/base/url.h"

enum { SITE_LINE_MAX = 3072, WAIT_MAX_S = 3600, SYSLOG_PORT = 514 /* RFC 5426 3.3 */ };

enum { MANY = 1, CMDLINE = 2 };

struct key {
    const char *name;
    enum err (*read)(struct span value, struct site *s);
    unsigned flags;
};

static enum err read_trust(struct span value, struct site *s)
{
    if (s->key_count == SITE_KEYS_MAX || jose_key_parse(value, &s->keys[s->key_count]) != OK)
        return ERR_SITE_KEY;
    s->key_count++;
    return OK;
}

static enum err read_root(struct span value, struct site *s)
{
    struct buf b = {.p = s->root_bytes + s->root_bytes_n, .cap = sizeof(s->root_bytes) - s->root_bytes_n};
    if (s->roots.count == SITE_ROOTS_MAX || text_b64(value, false, &b) != OK)
        return ERR_SITE_ROOT;
    if (x509_roots_add_der(&s->roots, buf_span(&b)) != OK)
        return ERR_SITE_ROOT;
    s->root_bytes_n += b.n;
    return OK;
}

/* A value that is one word. */
static enum err word(struct span value, char *ret, size_t cap)
{
    if (value.n == 0 || span_find(value, ' ') < value.n)
        return ERR_SITE_SYNTAX;
    return span_to_cstr(value, ret, cap) == OK ? OK : ERR_SITE_SYNTAX;
}

static enum err read_cluster(struct span value, struct site *s)
{
    return text_is_subdomain(value) ? word(value, s->cluster, sizeof(s->cluster)) : ERR_SITE_SYNTAX;
}

static enum err read_url(struct span value, struct site *s)
{
    return word(value, s->url, sizeof(s->url));
}

static enum err read_nic(struct span value, struct site *s)
{
    return span_find(value, '/') == value.n ? word(value, s->nic, sizeof(s->nic)) : ERR_SITE_SYNTAX;
}

/* The index of a value in a list of words. */
static enum err choice(struct span value, const char *const *words, unsigned *ret)
{
    for (unsigned i = 0; words[i]; i++) {
        if (span_is(value, words[i])) {
            *ret = i;
            return OK;
        }
    }
    return ERR_SITE_SYNTAX;
}

static enum err read_dad(struct span value, struct site *s)
{
    static const char *const words[] = {[SITE_DAD_OPTIMISTIC] = "optimistic",
                                        [SITE_DAD_RFC4862] = "rfc4862",
                                        [SITE_DAD_SHORT] = "short",
                                        NULL};
    unsigned i = 0;
    enum err e = choice(value, words, &i);
    if (e == OK)
        s->dad = (enum site_dad)i;
    return e;
}

static enum err read_families(struct span value, struct site *s)
{
    static const char *const words[] = {"ipv4", "ipv6", "ipv4,ipv6", "ipv6,ipv4", NULL};
    static const unsigned sets[] = {FAMILIES_V4, FAMILIES_V6, FAMILIES_BOTH, FAMILIES_BOTH};
    unsigned i = 0;
    enum err e = choice(value, words, &i);
    if (e == OK)
        s->families = sets[i];
    return e;
}

static enum err read_wait(struct span value, struct site *s)
{
    uint64_t seconds = 0;
    if (text_u64(value, WAIT_MAX_S, &seconds) != OK)
        return ERR_SITE_SYNTAX;
    s->families_wait_ms = (uint32_t)seconds * 1000;
    return OK;
}

static enum err yes_no(struct span value, bool *ret)
{
    static const char *const words[] = {"no", "yes", NULL};
    unsigned i = 0;
    enum err e = choice(value, words, &i);
    if (e == OK)
        *ret = i == 1;
    return e;
}

static enum err read_one_family(struct span value, struct site *s)
{
    return yes_no(value, &s->one_family);
}

static enum err read_sealed(struct span value, struct site *s)
{
    static const char *const words[] = {"optional", "required", NULL};
    unsigned i = 0;
    enum err e = choice(value, words, &i);
    if (e == OK)
        s->sealed_required = i == 1;
    return e;
}

static enum err read_permit(struct span value, struct site *s)
{
    return yes_no(value, &s->permit_unsafe_skip_ca);
}

static enum err read_permit_unsealed(struct span value, struct site *s)
{
    return yes_no(value, &s->permit_unsealed);
}

/* Names of dangerous kubelet arguments with commas between them. Which names are dangerous is a table's business (join_args.c). */
static enum err read_permit_args(struct span value, struct site *s)
{
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ','))
            return ERR_SITE_SYNTAX;
    }
    return word(value, s->permit_kubelet_args, sizeof(s->permit_kubelet_args));
}

static enum err read_kubelet(struct span value, struct site *s)
{
    return span_starts(value, "/") ? word(value, s->kubelet, sizeof(s->kubelet)) : ERR_SITE_SYNTAX;
}

static enum err read_runtime(struct span value, struct site *s)
{
    if (!span_starts(value, "/") && !span_is(value, "none"))
        return ERR_SITE_SYNTAX;
    return word(value, s->runtime, sizeof(s->runtime));
}

/* What names a block device: blkid's tags, or its path. */
static enum err read_device(struct span value, char ret[static SITE_TEXT_MAX])
{
    static const char *const forms[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "/dev/"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (span_starts(value, forms[i]) && value.n > strlen(forms[i]))
            return word(value, ret, SITE_TEXT_MAX);
    }
    return ERR_SITE_SYNTAX;
}

static enum err read_site_root(struct span value, struct site *s)
{
    return read_device(value, s->root);
}

static enum err read_site_state(struct span value, struct site *s)
{
    return read_device(value, s->state);
}

static enum err read_target(struct span value, struct site *s)
{
    return read_device(value, s->target);
}

static enum err read_images(struct span value, struct site *s)
{
    return span_starts(value, "/") ? word(value, s->images, sizeof(s->images)) : ERR_SITE_SYNTAX;
}

static enum err read_log(struct span value, struct site *s)
{
    static const char *const words[] = {"quiet", "normal", "debug", NULL};
    return choice(value, words, &s->log);
}

/* An address, or address:port with IPv6 in brackets. A name would need the network's word for who is meant. */
static enum err read_syslog(struct span value, struct site *s)
{
    struct span host;

    s->syslog_port = SYSLOG_PORT;
    if (ip_parse(value, &s->syslog) == OK)
        return OK;
    return ip_hostport_parse(value, &host, &s->syslog, &s->syslog_port) == OK &&
                   s->syslog.family != FAMILY_NONE
               ? OK
               : ERR_SITE_SYNTAX;
}

/* Whole: nobody hears of a URL that cannot be used later, since it is where one would be told. */
static enum err read_report_url(struct span value, struct site *s)
{
    struct url url;

    return url_parse(value, &url) == OK ? word(value, s->report_url, sizeof(s->report_url)) : ERR_SITE_SYNTAX;
}

static const struct key keys[] = {
    {.name = "trust", .read = read_trust, .flags = MANY},
    {.name = "tls-root", .read = read_root, .flags = MANY},
    {.name = "cluster", .read = read_cluster},
    {.name = "url", .read = read_url, .flags = CMDLINE},
    {.name = "nic", .read = read_nic, .flags = CMDLINE},
    {.name = "dad", .read = read_dad, .flags = CMDLINE},
    {.name = "families", .read = read_families},
    {.name = "families-wait", .read = read_wait, .flags = CMDLINE},
    {.name = "one-family", .read = read_one_family},
    {.name = "sealed", .read = read_sealed},
    {.name = "permit-unsafe-skip-ca", .read = read_permit},
    {.name = "permit-kubelet-args", .read = read_permit_args},
    {.name = "kubelet", .read = read_kubelet},
    {.name = "runtime", .read = read_runtime},
    {.name = "root", .read = read_site_root},
    {.name = "state", .read = read_site_state},
    {.name = "target", .read = read_target},
    {.name = "images", .read = read_images},
    {.name = "syslog", .read = read_syslog},
    {.name = "report-url", .read = read_report_url},
    {.name = "log", .read = read_log, .flags = CMDLINE},
    {.name = "permit-unsealed", .read = read_permit_unsealed},
    {.name = "via", .read = site_bmc_via},
    {.name = "bmc-link", .read = site_bmc_host_link},
    {.name = "host-link", .read = site_bmc_link},
    {.name = "host-uuid", .read = site_bmc_uuid},
    {.name = "host-serial", .read = site_bmc_serial},
    {.name = "host-mac", .read = site_bmc_mac, .flags = MANY},
    {.name = "serve-window", .read = site_bmc_window},
    {.name = "refresh", .read = site_bmc_refresh},
};

static const struct key *find_key(struct span name)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (span_is(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] >= 0x7f)
            return false;
    }
    return true;
}

/* One line that is neither blank nor a comment. `seen` has a bit per key. */
static enum err read_line(struct span line, uint32_t number, struct site *s, uint32_t *seen, struct fault *f)
{
    if (line.n > SITE_LINE_MAX || !is_printable(line))
        return fault_at(f, ERR_SITE_SYNTAX, number, 1, "", "a line has at most %d bytes of printable ASCII",
                        SITE_LINE_MAX);
    struct span rest = line;
    struct span name = span_trim(span_cut(&rest, '='));
    const struct key *key = find_key(name);
    if (!key || name.n == span_trim(line).n)
        return fault_at(f, ERR_SITE_SYNTAX, number, 1, "", "not `key = value` with a known key");
    uint32_t bit = UINT32_C(1) << (key - keys);
    if ((*seen & bit) && !(key->flags & MANY))
        return fault_at(f, ERR_SITE_SYNTAX, number, 1, key->name, "the key is there twice");
    *seen |= bit;
    enum err e = key->read(span_trim(rest), s);
    return e == OK ? OK : fault_at(f, e, number, 1, key->name, "the value cannot be used");
}

static enum err read_lines(struct span text, struct site *s, struct fault *f)
{
    uint32_t seen = 0;
    for (uint32_t number = 1; text.n > 0; number++) {
        struct span line = span_cut(&text, '\n');
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (span_trim(line).n == 0 || line.p[0] == '#')
            continue;
        enum err e = read_line(line, number, s, &seen, f);
        if (e != OK)
            return e;
    }
    return OK;
}

static enum err check_complete(const struct site *s, struct fault *f)
{
    if (s->key_count == 0)
        return fault_set(f, ERR_SITE_KEY, "there is no `trust` line");
    if (s->roots.count == 0)
        return fault_set(f, ERR_SITE_ROOT, "there is no `tls-root` line");
    if (s->cluster[0] == 0)
        return fault_set(f, ERR_SITE_SYNTAX, "there is no `cluster` line");
    if (s->target[0] && (s->root[0] || s->images[0]))
        return fault_set(f, ERR_SITE_SYNTAX, "`target` is an installed system, which has its own `%s`",
                         s->root[0] ? "root" : "images");
    return site_bmc_check(s, f);
}

/* Moves a finished site to its place: roots point into root_bytes. */
static void move(const struct site *from, struct site *ret)
{
    *ret = *from;
    for (unsigned i = 0; i < ret->roots.count; i++)
        ret->roots.ders[i].p = ret->root_bytes + (from->roots.ders[i].p - from->root_bytes);
}

enum err site_parse(struct span text, struct site *ret, struct fault *f)
{
    struct site s = {
        .families = FAMILIES_BOTH,
        .families_wait_ms = 30 * 1000,
        .kubelet = "/usr/bin/kubelet",
        .runtime = "/usr/bin/containerd",
        .log = 1,
        .serve_window_s = SITE_BMC_WINDOW_S,
        .refresh_s = SITE_BMC_REFRESH_S,
    };
    if (span_trim(text).n == 0)
        return fault_set(f, ERR_SITE_MISSING, "it is empty");
    if (text.n > LIMIT_SITE)
        return fault_set(f, ERR_SITE_SYNTAX, "it is larger than 32 KiB");
    enum err e = read_lines(text, &s, f);
    if (e == OK)
        e = check_complete(&s, f);
    if (e == OK)
        move(&s, ret);
    return e;
}

/* One word of the kernel command line. */
static enum err read_word(struct span w, struct site *s, struct fault *f)
{
    static const char prefix[] = "joinboot.";
    if (!span_starts(w, prefix))
        return OK;
    struct span value = span_sub(w, sizeof(prefix) - 1, w.n);
    bool has_value = span_find(value, '=') < value.n;
    const struct key *key = find_key(span_cut(&value, '='));
    if (!key || !has_value || !(key->flags & CMDLINE) || !is_printable(w))
        return fault_set(f, ERR_SITE_SYNTAX,
                         "the kernel command line has a joinboot word that may not be set there");
    if (key->read(value, s) != OK)
        return fault_set(f, ERR_SITE_SYNTAX, "the kernel command line's joinboot.%s cannot be used",
                         key->name);
    return OK;
}

enum err site_cmdline(struct span cmdline, struct site *site, struct fault *f)
{
    struct site s;
    move(site, &s);
    while (cmdline.n > 0) {
        size_t n = 0;
        while (n < cmdline.n && cmdline.p[n] != ' ' && cmdline.p[n] != '\t' && cmdline.p[n] != '\n')
            n++;
        enum err e = read_word(span_sub(cmdline, 0, n), &s, f);
        if (e != OK)
            return e;
        cmdline = span_sub(cmdline, n + 1, cmdline.n);
    }
    move(&s, site);
    return OK;
}
