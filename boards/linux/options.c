/*
 * options.c - see options.h.
 */
#include "boards/linux/options.h"

#include "firmware/base/text.h"

enum { TIMEOUT_MAX_S = 86400 };

static const char HELP[] =
    "joinboot - makes this machine a node of a Kubernetes cluster from a signed join config\n"
    "\n"
    "  joinboot --site FILE [--state FILE] [--nic NAME] [--set KEY=VALUE]... [--once]\n"
    "  joinboot --enrol [--site FILE] [--state FILE]\n"
    "  joinboot --one-shot [--timeout SECONDS] [--site FILE] [--state FILE] [--nic NAME] [--set KEY=VALUE]...\n"
    "\n"
    "It brings both address families up on one network link with its own network stack, fetches the join config that\n"
    "is signed for exactly this machine, joins the cluster as `kubeadm join` would, and keeps container runtime and\n"
    "kubelet running until SIGTERM. It needs root, and a link whose addresses nobody else manages. As PID 1 it takes\n"
    "no arguments: see the kernel parameters that start with `joinboot.`.\n"
    "\n"
    "  --site FILE         trusted keys, TLS roots, cluster, URL (default /etc/joinboot/site.conf;\n"
    "                      `joinctl example site` prints one)\n"
    "  --state FILE        where the accepted sequence is kept (default /var/lib/joinboot/state; made if missing)\n"
    "  --nic NAME          use exactly this link (default: the first hardware or veth link with a carrier)\n"
    "  --identity LIST     uuid=U,serial=S: be this machine instead of what SMBIOS says; for tests\n"
    "  --set KEY=VALUE     a kernel parameter, with or without `joinboot.`: url, dad, log, ...\n"
    "  --once              when the node has joined, stop its programs and exit\n"
    "  --one-shot          on a system whose network is up: leave addresses, routes, names and clock to it, go over its\n"
    "                      sockets, write kubelet's files, have the service manager restart kubelet, and exit when the\n"
    "                      node has joined; for bundles with `handOff: one-shot` (boards/linux/joinboot.service)\n"
    "  --timeout SECONDS   with --one-shot: exit 1 with the failing phase if the node has not joined by then\n"
    "  --enrol             print this machine's enrolment record, one line of JSON for `joinctl sign --seal-to`, and exit;\n"
    "                      a machine without a device key makes one: device.key beside the site configuration if the\n"
    "                      image has it, else the state file's name with .key behind it\n"
    "  --version           print version and build time\n"
    "\n"
    "Exit status: 0 joined or stopped by a signal, 1 failed, 2 usage.\n"
    "\n"
    "Example: joinboot --site site.conf --state ./state --nic eth0 --set url=https://config.example/n1.jws\n";

struct span options_help(void)
{
    return span_str(HELP);
}

static enum err refuse(struct buf *ret_why, const char *what, const char *arg)
{
    buf_fmt(ret_why, "%s%s%s", what, arg ? ": " : "", arg ? arg : "");
    buf_u8(ret_why, 0);
    return ERR_INPUT;
}

static enum err identity(struct options *o, const char *list, struct buf *ret_why)
{
    struct span rest = span_str(list);

    o->has_identity = true;
    while (rest.n > 0) {
        struct span value = span_cut(&rest, ',');
        struct span key = span_cut(&value, '=');
        if (span_is(key, "uuid") && !o->identity.has_uuid && !text_uuid(value, o->identity.uuid))
            o->identity.has_uuid = true;
        else if (!span_is(key, "serial") || o->identity.serial[0] || value.n == 0 ||
                 span_to_cstr(value, o->identity.serial, sizeof(o->identity.serial)))
            return refuse(ret_why, "--identity wants uuid=U,serial=S, each at most once", list);
    }
    if (!o->identity.has_uuid && o->identity.serial[0] == 0)
        return refuse(ret_why, "--identity wants uuid=U,serial=S", list);
    return OK;
}

/* The same separators as on a kernel command line: what would be read as two parameters is refused. */
static enum err set(struct options *o, const char *text, struct buf *ret_why)
{
    struct span s = span_str(text);
    size_t eq = span_find(s, '=');

    if (eq == 0 || eq == s.n || span_find(s, ' ') < s.n || span_find(s, '\n') < s.n ||
        span_find(s, '\t') < s.n || span_find(s, '"') < s.n)
        return refuse(ret_why, "--set wants KEY=VALUE without spaces and quotes", text);
    if (o->cmdline.n > 0)
        buf_u8(&o->cmdline, ' ');
    if (!span_starts(s, "joinboot."))
        buf_str(&o->cmdline, "joinboot.");
    buf_put(&o->cmdline, s);
    return o->cmdline.overflow ? refuse(ret_why, "--set: too much", NULL) : OK;
}

static enum err timeout(struct options *o, const char *value, struct buf *ret_why)
{
    uint64_t s = 0;

    if (text_u64(span_str(value), TIMEOUT_MAX_S, &s) || s == 0)
        return refuse(ret_why, "--timeout wants seconds, 1 to 86400", value);
    o->timeout_s = (uint32_t)s;
    return OK;
}

static enum err valued(struct options *o, const char *name, const char *value, struct buf *ret_why)
{
    if (strcmp(name, "--set") == 0)
        return set(o, value, ret_why);
    if (strcmp(name, "--identity") == 0)
        return identity(o, value, ret_why);
    if (value[0] == 0)
        return refuse(ret_why, "an empty value", name);
    if (strcmp(name, "--site") == 0)
        o->site = value;
    else if (strcmp(name, "--state") == 0)
        o->state = value;
    else if (strcmp(name, "--timeout") == 0)
        return timeout(o, value, ret_why);
    else if (strlen(value) >= sizeof(((struct board_nic *)0)->name) || strchr(value, '/'))
        return refuse(ret_why, "not a link's name", value);
    else
        o->nic = value;
    return OK;
}

enum err options_parse(struct options *o, int argc, const char *const *argv, struct buf *ret_why)
{
    static const char *const with_value[] = {"--site",     "--state", "--nic",
                                             "--identity", "--set",   "--timeout"};

    *o = (struct options){.site = "/etc/joinboot/site.conf", .state = "/var/lib/joinboot/state"};
    o->cmdline = BUF_OF(o->cmdline_mem);
    for (int i = 1; i < argc; i++) {
        bool takes = false;
        for (size_t k = 0; k < COUNT(with_value); k++)
            takes = takes || strcmp(argv[i], with_value[k]) == 0;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            o->help = true;
        else if (strcmp(argv[i], "--version") == 0)
            o->version = true;
        else if (strcmp(argv[i], "--once") == 0)
            o->once = true;
        else if (strcmp(argv[i], "--one-shot") == 0)
            o->one_shot = true;
        else if (strcmp(argv[i], "--enrol") == 0)
            o->enrol = true;
        else if (!takes)
            return refuse(ret_why, "unknown argument", argv[i]);
        else if (i + 1 == argc)
            return refuse(ret_why, "a value is missing behind", argv[i]);
        else if (valued(o, argv[i], argv[i + 1], ret_why))
            return ERR_INPUT;
        else
            i++;
    }
    if (o->timeout_s && !o->one_shot)
        return refuse(ret_why, "--timeout is for --one-shot only", NULL);
    return OK;
}
