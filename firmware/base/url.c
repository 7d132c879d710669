/*
 * url.c - the https URLs of url.h (RFC 3986). A URL that could be read in two ways is refused: a host whose last label is a number (it might
 * be an IPv4 address in another notation), a user name, control characters, a percent sign without two hex digits.
 */
#include "firmware/base/url.h"

#include "firmware/base/text.h"

enum { URL_PORT = 443 };

/* Characters of a path or query (RFC 3986 section 3.3 and 3.4). */
static bool url_is_path_char(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != 0 && strchr("-._~!$&'()*+,;=:@/?%", c) != NULL;
}

static bool url_is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool url_is_path(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!url_is_path_char(s.p[i]))
            return false;
        if (s.p[i] == '%' && (s.n - i < 3 || !url_is_hex(s.p[i + 1]) || !url_is_hex(s.p[i + 2])))
            return false;
    }
    return true;
}

/* True if the last label starts with a digit: such a host is only an address, never a name. */
static bool url_is_numeric(struct span host)
{
    size_t start = 0;
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '.')
            start = i + 1;
    }
    return start < host.n && host.p[start] >= '0' && host.p[start] <= '9';
}

static enum err url_set_host(struct span host, bool brackets, struct url *ret)
{
    if (host.n == 0 || host.n >= sizeof(ret->host))
        return ERR_URL;
    if (ip_parse(host, &ret->ip) == OK) {
        char text[IP_TEXT_MAX];
        if (brackets != (ret->ip.family == FAMILY_V6))
            return ERR_URL;
        return span_to_cstr(span_str(ip_text(&ret->ip, text)), ret->host, sizeof(ret->host)) == OK ? OK
                                                                                                   : ERR_URL;
    }
    ret->ip = (struct ip){.family = FAMILY_NONE};
    if (brackets || url_is_numeric(host) || !text_is_hostname(host))
        return ERR_URL;
    for (size_t i = 0; i < host.n; i++) {
        uint8_t c = host.p[i];
        ret->host[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    ret->host[host.n] = 0;
    return OK;
}

static enum err url_set_authority(struct span authority, struct url *ret)
{
    struct span host = authority;
    struct span rest = {0};
    bool brackets = authority.n > 0 && authority.p[0] == '[';
    if (brackets) {
        size_t close = span_find(authority, ']');
        if (close == authority.n)
            return ERR_URL;
        host = span_sub(authority, 1, close - 1);
        rest = span_sub(authority, close + 1, authority.n);
    } else {
        size_t colon = span_find(authority, ':');
        host = span_sub(authority, 0, colon);
        rest = span_sub(authority, colon, authority.n);
    }
    ret->port = URL_PORT;
    if (rest.n > 0) {
        uint64_t port = 0;
        if (rest.p[0] != ':' || text_u64(span_sub(rest, 1, rest.n), UINT16_MAX, &port) != OK || port == 0)
            return ERR_URL;
        ret->port = (uint16_t)port;
    }
    return url_set_host(host, brackets, ret);
}

/* Where the authority ends: at the first slash or question mark. */
static size_t url_authority_end(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '/' || s.p[i] == '?' || s.p[i] == '#')
            return i;
    }
    return s.n;
}

static enum err url_set_path(struct span path, struct url *ret)
{
    bool slash = path.n > 0 && path.p[0] == '/';
    struct buf out = {.p = (uint8_t *)ret->path, .cap = sizeof(ret->path) - 1};
    if (!url_is_path(path))
        return ERR_URL;
    if (!slash)
        buf_u8(&out, '/');
    buf_put(&out, path);
    if (out.overflow)
        return ERR_URL;
    ret->path[out.n] = 0;
    return OK;
}

static bool url_cut_scheme(struct span *text, const char *scheme)
{
    size_t n = strlen(scheme);
    if (!span_is_nocase(span_sub(*text, 0, n), scheme))
        return false;
    *text = span_sub(*text, n, text->n);
    return true;
}

enum err url_parse(struct span text, struct url *ret)
{
    struct url u = {0};
    if (url_cut_scheme(&text, "http://"))
        return ERR_URL_PLAIN;
    if (!url_cut_scheme(&text, "https://"))
        return ERR_URL;
    size_t end = url_authority_end(text);
    if (url_set_authority(span_sub(text, 0, end), &u) != OK ||
        url_set_path(span_sub(text, end, text.n), &u) != OK)
        return ERR_URL;
    *ret = u;
    return OK;
}

/* Dot segments would need RFC 3986 section 5.2.4; a server that publishes bundles has no use for them. */
static bool url_has_dots(struct span path)
{
    struct span rest = span_sub(path, 0, span_find(path, '?'));
    while (rest.n > 0) {
        struct span part = span_cut(&rest, '/');
        if (span_is(part, ".") || span_is(part, ".."))
            return true;
    }
    return false;
}

/* A reference without an authority, against the base (RFC 3986 section 5.2.3). */
static enum err url_relative(const struct url *base, struct span ref, struct url *ret)
{
    uint8_t text[URL_MAX];
    struct buf out = BUF_OF(text);
    struct span path = span_str(base->path);
    struct span dir = span_sub(path, 0, span_find(path, '?'));
    if (ref.n > 0 && ref.p[0] != '/') {
        size_t last = 0;
        for (size_t i = 0; ref.p[0] != '?' && i < dir.n; i++) {
            if (dir.p[i] == '/')
                last = i + 1;
        }
        buf_put(&out, ref.p[0] == '?' ? dir : span_sub(dir, 0, last));
    }
    buf_put(&out, ref);
    *ret = *base;
    if (out.overflow || url_has_dots(buf_span(&out)) || url_set_path(buf_span(&out), ret) != OK)
        return ERR_HTTP_REDIRECT;
    return OK;
}

/* True if the reference begins with a scheme (RFC 3986 section 3.1). */
static bool url_has_scheme(struct span ref)
{
    size_t end = url_authority_end(ref);
    return span_find(span_sub(ref, 0, end), ':') < end;
}

enum err url_redirect(const struct url *base, struct span location, struct url *ret)
{
    struct url u;
    struct span ref = span_sub(location, 0, span_find(location, '#'));
    enum err e = ERR_HTTP_REDIRECT;
    if (ref.n == 0)
        return ERR_HTTP_REDIRECT;
    if (url_has_scheme(ref)) {
        e = url_parse(ref, &u);
    } else if (span_starts(ref, "//")) {
        uint8_t text[URL_MAX + 8];
        struct buf out = BUF_OF(text);
        buf_str(&out, "https:");
        buf_put(&out, ref);
        e = out.overflow ? ERR_HTTP_REDIRECT : url_parse(buf_span(&out), &u);
    } else {
        e = url_relative(base, ref, &u);
    }
    /* Same origin (RFC 6454): a compromised or careless server cannot send the agent to another host or port. */
    if (e != OK || strcmp(u.host, base->host) != 0 || u.port != base->port)
        return ERR_HTTP_REDIRECT;
    *ret = u;
    return OK;
}

void url_put_authority(struct buf *ret, const struct url *u)
{
    buf_fmt(ret, u->ip.family == FAMILY_V6 ? "[%s]" : "%s", u->host);
    if (u->port != URL_PORT)
        buf_fmt(ret, ":%u", (unsigned)u->port);
}

void url_put(struct buf *ret, const struct url *u)
{
    buf_str(ret, "https://");
    url_put_authority(ret, u);
    buf_str(ret, u->path);
}
