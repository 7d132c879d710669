/*
 * main.c - joinctl, the operator's tool: makes keys, signs bundles, and answers what a machine would answer, with the agent's own code.
 */
#include <stdarg.h>
#include <sys/random.h>
#include <time.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/rng.h"
#include "tools/joinctl/tool.h"

#define VERSION "0.1.0"

enum { ARENA = 4 * LIMIT_ARENA, NOISE = 512 };

#define B(name) OPTION_BIT(OPTION_##name)

static const struct command commands[] = {
    {.name = "keygen",
     .summary = "make a key that bundles are signed with, or a machine's device key",
     .usage = "[--device] --out FILE",
     .help =
         "Makes an ES256 key, writes the private JWK (mode 0600, an existing file is refused), and prints what the site configuration needs.\n"
         "With --device it makes the key to which one machine's bundles are sealed, in the form of that machine's image or flash (on Linux\n"
         "device.key beside site.conf), and prints the public JWK for `joinctl sign --seal-to`. A machine whose image has none makes its own.\n\n"
         "  joinctl keygen --out site.key >> site.conf\n",
     .options = B(HELP) | B(OUT) | B(DEVICE),
     .run = key_generate},
    {.name = "sign",
     .summary = "make a bundle for one machine",
     .usage = "--key FILE --node FILE --config FILE [--seal-to FILE] -o BUNDLE",
     .help =
         "Reads the NodeJoin document and kubeadm's documents as the agent will, refuses what no agent would accept, and signs them. What the\n"
         "machine becomes follows from kubeadm's documents: a worker, a control-plane node, or the first node of a new cluster.\n"
         "The bundle is written only after it was verified and read again. `-o -` writes it to stdout.\n\n"
         "With --seal-to kubeadm's documents, and so the token, can be read by one machine only, whoever stores or carries the bundle. It\n"
         "takes the enrolment record that this machine prints at each boot and with `joinboot --enrol`: the line of JSON, in a file.\n\n"
         "  joinctl sign --key site.key --node node-3.yaml --config join.yaml --sequence 2 --valid 24h -o node-3.jws\n",
     .options = B(HELP) | B(KEY) | B(NODE) | B(CONFIG) | B(O) | B(SEQUENCE) | B(VALID) | B(AT) |
                B(PERMIT_UNSAFE) | B(SEAL_TO),
     .run = sign_run},
    {.name = "verify",
     .summary = "is this bundle's signature by a trusted key?",
     .usage = "--site FILE|--key FILE BUNDLE",
     .help =
         "Checks the signature and nothing else, and prints the key's thumbprint. `joinctl explain` checks everything. What is sealed stays\n"
         "sealed, also with --payload.\n\n"
         "  joinctl verify --site site.conf node-3.jws\n",
     .options = B(HELP) | B(SITE) | B(KEY) | B(PAYLOAD),
     .min_files = 1,
     .max_files = 1,
     .run = verify_run},
    {.name = "validate",
     .summary = "are these kubeadm documents good?",
     .usage = "[-o json] FILE|-",
     .help =
         "Checks a JoinConfiguration, or an InitConfiguration and a ClusterConfiguration, as strictly as kubeadm or more strictly, like\n"
         "`kubeadm config validate`, and notes what an operator may miss later. With -o json it prints one array of the documents with\n"
         "kubeadm's defaults filled in, as `kubeadm config migrate` writes them. Tokens and certificateKey are in it.\n\n"
         "  joinctl validate join.yaml\n",
     .options = B(HELP) | B(O),
     .min_files = 1,
     .max_files = 1,
     .run = validate_run},
    {.name = "explain",
     .summary = "would this machine accept this bundle now, and why not?",
     .usage = "--site FILE --as uuid=U,serial=S,mac=M BUNDLE",
     .help =
         "Makes every check in the agent's order and answers yes or no for each; the first no is the refusal, by its name. Then it says what\n"
         "the bundle asks for; secrets are not shown. Of a sealed bundle it says what anybody can say: the machine looks at the documents\n"
         "themselves when it has opened them, by the same checks that `sign` has made.\n\n"
         "  joinctl explain --site site.conf --as mac=52:54:00:12:34:56 --stored-sequence 1 node-3.jws\n",
     .options = B(HELP) | B(SITE) | B(AS) | B(AT) | B(STORED_SEQUENCE) | B(STORED_DIGEST) | B(O),
     .min_files = 1,
     .max_files = 1,
     .run = explain_run},
    {.name = "unseal",
     .summary = "print the sealed documents of a bundle",
     .usage = "--site FILE --key FILE BUNDLE",
     .help =
         "Verifies the bundle by the site's keys, opens it with a device key (as `joinctl keygen` writes it, or a private JWK), checks the\n"
         "documents as the machine does, and prints them. The token is in them. Machines do this themselves: it is for tests, and for a\n"
         "look into a bundle of a machine whose key is at hand.\n\n"
         "  joinctl unseal --site site.conf --key device.key node-3.jws\n",
     .options = B(HELP) | B(SITE) | B(KEY),
     .min_files = 1,
     .max_files = 1,
     .run = seal_open},
    {.name = "errors",
     .summary = "what does an error mean, and what is to do?",
     .usage = "[-o json] [NAME]",
     .help = "Lists every error that the console, the journal and this tool can name, or explains one.\n\n"
             "  joinctl errors config.binding\n",
     .options = B(HELP) | B(O),
     .max_files = 1,
     .run = errors_run},
    {.name = "example",
     .summary = "print a file to start from",
     .usage = "[--role ROLE] [--family FAMILY] nodejoin|site|join",
     .help =
         "Prints a complete document with comments: the NodeJoin document, the site configuration, or kubeadm's documents to join a worker,\n"
         "to join a control-plane node, or to create a cluster, for one address family or both.\n\n"
         "  joinctl example join --role init --family dual > init.yaml\n",
     .options = B(HELP) | B(ROLE) | B(FAMILY),
     .min_files = 1,
     .max_files = 1,
     .run = example_run},
    {.name = "image",
     .summary = "put site configuration and device key into a flash image",
     .usage = "[--site FILE] [--device-key FILE] IMAGE",
     .help =
         "Puts a site configuration and a device key, both checked first, into the image of a board's whole flash, and says what is in it;\n"
         "nothing else of the image changes. A site configuration replaces the one that is there; a device key goes only where none is.\n"
         "Without options it only says what is in the image. With --board and --code it makes a new one, as `make image` does. The image is\n"
         "replaced by rename, and readable for its owner only once it has a device key.\n\n"
         "  joinctl image --site site.conf --device-key device-7.key build/ast2600-evb/flash.img\n",
     .options = B(HELP) | B(SITE) | B(DEVICE_KEY) | B(BOARD) | B(CODE),
     .min_files = 1,
     .max_files = 1,
     .run = image_run},
    {.name = "thumbprint",
     .summary = "the name (kid) of a key",
     .usage = "FILE",
     .help = "Prints the RFC 7638 thumbprint of a public or private JWK: bundles name their key by it.\n\n"
             "  joinctl thumbprint site.key\n",
     .options = B(HELP),
     .min_files = 1,
     .max_files = 1,
     .run = key_thumbprint},
    {.name = "pin",
     .summary = "the caCertHashes entry of a cluster's CA",
     .usage = "FILE",
     .help =
         "Prints sha256:<hash of the public key> for each certificate of a PEM file, or of one in DER: what caCertHashes wants.\n\n"
         "  joinctl pin /etc/kubernetes/pki/ca.crt\n",
     .options = B(HELP),
     .min_files = 1,
     .max_files = 1,
     .run = pin_run},
};

static void print_help(FILE *out)
{
    (void)fprintf(out, "joinctl makes and checks the signed join configs that joinboot's agent accepts.\n\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        (void)fprintf(out, "  joinctl %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(
        out,
        "\n`joinctl COMMAND --help` has an example each. FILE may be - for stdin.\n"
        "Exit codes: 0 yes, 1 refused, 2 usage or input/output.\n\n"
        "From nothing to a bundle:\n"
        "  joinctl example site > site.conf && joinctl keygen --out site.key >> site.conf\n"
        "  joinctl example nodejoin > node.yaml && joinctl example join > join.yaml\n"
        "  joinctl sign --key site.key --node node.yaml --config join.yaml --sequence 1 --valid 24h -o node.jws\n");
}

static int print_command_help(const struct command *c)
{
    (void)printf("joinctl %s %s\n\n%s\n", c->name, c->usage, c->help);
    args_print(c, stdout);
    return tool_end();
}

int tool_usage(const struct tool *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "joinctl %s: ", t->command->name);
    (void)vfprintf(stderr, fmt, args);
    (void)fprintf(stderr, "\nusage: joinctl %s %s\n", t->command->name, t->command->usage);
    va_end(args);
    return TOOL_USAGE;
}

int tool_bad_option(const struct tool *t, const char *option, const char *want)
{
    return tool_usage(t, "%s wants %s", option, want);
}

int tool_refuse(const struct tool *t, const char *file, enum err e)
{
    const struct fault *f = &t->fault;
    bool known = f->code == e;
    (void)fprintf(stderr, "%s:", tool_file_name(file));
    if (known && f->line)
        (void)fprintf(stderr, "%u:%u:", (unsigned)f->line, (unsigned)f->column);
    if (known && f->path[0])
        (void)fprintf(stderr, " %s:", f->path);
    (void)fprintf(stderr, " %s (%s)\n", known && f->text[0] ? f->text : err_explain(e), err_name(e));
    return TOOL_REFUSED;
}

bool tool_now(const struct tool *t, int64_t *ret_s)
{
    const char *at = t->option[OPTION_AT];
    if (!at) {
        *ret_s = (int64_t)time(NULL);
        return true;
    }
    if (text_time(span_str(at), ret_s) == OK)
        return true;
    (void)tool_bad_option(t, "--at", "a time such as 2026-11-23T04:50:51Z");
    return false;
}

bool tool_wants_json(const struct tool *t, bool *ret_bad)
{
    const char *o = t->option[OPTION_O];
    *ret_bad = o && strcmp(o, "json") != 0;
    if (*ret_bad)
        (void)tool_bad_option(t, "-o", "json");
    return o && !*ret_bad;
}

/* Random numbers from the kernel's generator, which blocks until it is seeded: eight bits of entropy a byte. */
static enum err start(void)
{
    static _Alignas(16) uint8_t heap[LIMIT_CRYPTO_HEAP];
    uint8_t noise[NOISE];
    for (size_t n = 0; n < sizeof(noise);) {
        ssize_t got = getrandom(noise + n, sizeof(noise) - n, 0);
        if (got <= 0)
            return ERR_ENTROPY;
        n += (size_t)got;
    }
    rng_init();
    enum err e = rng_add(span_of(noise, sizeof(noise)), NOISE * 8);
    wipe(noise, sizeof(noise));
    return e == OK ? crypto_start(heap, sizeof(heap)) : e;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static _Alignas(16) uint8_t memory[ARENA];
    static struct tool t;
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return tool_end();
    }
    if (strcmp(name, "--version") == 0) {
        (void)printf("joinctl %s\n", VERSION);
        return tool_end();
    }
    t.command = find(name);
    if (!t.command) {
        if (*name)
            (void)fprintf(stderr, "joinctl: there is no command %s\n\n", name);
        print_help(stderr);
        return TOOL_USAGE;
    }
    arena_init(&t.arena, memory, sizeof(memory));
    if (!args_read(&t, argc - 2, argv + 2))
        return TOOL_USAGE;
    if (t.option[OPTION_HELP])
        return print_command_help(t.command);
    enum err e = start();
    if (e != OK) {
        (void)fprintf(stderr, "joinctl: %s (%s)\n", err_explain(e), err_name(e));
        return TOOL_USAGE;
    }
    int code = t.command->run(&t);
    arena_reset(&t.arena);
    return code;
}
