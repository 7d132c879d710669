/*
 * args.c - the options of every command: `--name VALUE`, `--name=VALUE`, `-o VALUE`; `--` ends them, `-` is stdin.
 */
#include "tools/joinctl/tool.h"

static const struct {
    const char *name;
    const char *value; /* what the value is; NULL: takes none */
    const char *help;
} options[OPTION_COUNT] = {
    [OPTION_HELP] = {"--help", NULL, "this text"},
    [OPTION_OUT] = {"--out", "FILE", "where the private key goes; never overwritten"},
    [OPTION_O] = {"-o", NULL, NULL},
    [OPTION_KEY] = {"--key", "FILE", "the key as JWK"},
    [OPTION_NODE] = {"--node", "FILE", "the NodeJoin document"},
    [OPTION_CONFIG] = {"--config", "FILE", "kubeadm's documents to join or to init"},
    [OPTION_SITE] = {"--site", "FILE", "the site configuration"},
    [OPTION_AS] = {"--as", "uuid=U,serial=S,mac=M", "the machine; mac= may come several times"},
    [OPTION_AT] = {"--at", "TIME", "instead of now: 2026-11-23T04:50:51Z"},
    [OPTION_SEQUENCE] = {"--sequence", "N", "instead of the document's sequence"},
    [OPTION_VALID] = {"--valid", "TIME", "issued now, valid for 90s, 30m, 24h or 7d"},
    [OPTION_STORED_SEQUENCE] = {"--stored-sequence", "N", "the sequence that the machine accepted last"},
    [OPTION_STORED_DIGEST] = {"--stored-digest", "HEX",
                              "the SHA-256 of header.payload of the bundle it accepted last"},
    [OPTION_PAYLOAD] = {"--payload", NULL, "print the payload (it holds the token)"},
    [OPTION_PERMIT_UNSAFE] = {"--permit-unsafe-skip-ca", NULL, "the site permits unsafeSkipCAVerification"},
    [OPTION_ROLE] = {"--role", "ROLE", "worker, control-plane or init"},
    [OPTION_FAMILY] = {"--family", "FAMILY", "ipv4, ipv6 or dual"},
    [OPTION_BOARD] = {"--board", "BOARD", "make a new, blank image for this board: ast2600-evb"},
    [OPTION_CODE] = {"--code", "FILE", "the agent in a new image: build/BOARD/joinboot"},
    [OPTION_DEVICE_KEY] = {"--device-key", "FILE", "the machine's device key, 64 bytes"},
    [OPTION_SEAL_TO] = {"--seal-to", "FILE", "the machine's enrolment record, or the JWK of its device key"},
    [OPTION_DEVICE] = {"--device", NULL, "a device key, for a machine's image"},
};

static const char *o_value(const struct command *c)
{
    return c->run == sign_run ? "FILE" : "json";
}

void args_print(const struct command *c, FILE *out)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        char text[64];
        if (!(c->options & OPTION_BIT(i)))
            continue;
        const char *value = i == OPTION_O ? o_value(c) : options[i].value;
        const char *help = options[i].help      ? options[i].help
                           : c->run == sign_run ? "where the bundle goes"
                                                : "the answer for a machine";
        (void)snprintf(text, sizeof(text), "%s%s%s", options[i].name, value ? " " : "", value ? value : "");
        (void)fprintf(out, "  %-28s %s\n", text, help);
    }
}

/* The option that this argument names, or OPTION_COUNT. *ret_value: behind '='. */
static unsigned find(const char *arg, const char **ret_value)
{
    size_t n = strcspn(arg, "=");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (strlen(options[i].name) != n || strncmp(arg, options[i].name, n) != 0)
            continue;
        *ret_value = arg[n] ? arg + n + 1 : NULL;
        return i;
    }
    return OPTION_COUNT;
}

/* One option at argv[*i]; *i moves over its value. */
static bool read_option(struct tool *t, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];
    const char *value = NULL;
    unsigned o = find(arg, &value);
    if (o == OPTION_COUNT || !(t->command->options & OPTION_BIT(o))) {
        (void)tool_usage(t, "there is no option %s", arg);
        return false;
    }
    bool takes = options[o].value || o == OPTION_O;
    if (t->option[o]) {
        (void)tool_usage(t, "%s is given twice", options[o].name);
        return false;
    }
    if (takes && !value && *i + 1 < argc)
        value = argv[++*i];
    if (takes != (value != NULL)) {
        (void)tool_usage(t, takes ? "%s needs a value" : "%s takes no value", options[o].name);
        return false;
    }
    t->option[o] = takes ? value : "";
    return true;
}

bool args_read(struct tool *t, int argc, char **argv)
{
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (!ended && strcmp(arg, "--") == 0) {
            ended = true;
        } else if (!ended && arg[0] == '-' && arg[1]) {
            if (!read_option(t, argc, argv, &i))
                return false;
        } else if (t->file_count == TOOL_FILES_MAX || t->file_count == t->command->max_files) {
            (void)tool_usage(t, "%s is one argument too many", arg);
            return false;
        } else {
            t->file[t->file_count++] = arg;
        }
    }
    if (!t->option[OPTION_HELP] && t->file_count < t->command->min_files) {
        (void)tool_usage(t, "an argument is missing");
        return false;
    }
    return true;
}
