/*
 * tool.h - what joinctl's commands share: options, files, refusals.
 *
 * Exit codes: 0 yes, 1 refused (one line `FILE:line:col: path: reason (error.name)` on stderr), 2 usage or I/O. A secret is never an option's
 * value: keys are read from files.
 */
#ifndef JOINBOOT_TOOLS_JOINCTL_TOOL_H
#define JOINBOOT_TOOLS_JOINCTL_TOOL_H

#include <stdio.h>

#include "config/bundle.h"
#include "firmware/base/limits.h"
#include "firmware/crypto/jose_tool.h"

enum { TOOL_YES = 0, TOOL_REFUSED = 1, TOOL_USAGE = 2 };

enum option {
    OPTION_HELP,
    OPTION_OUT,
    OPTION_O,
    OPTION_KEY,
    OPTION_NODE,
    OPTION_CONFIG,
    OPTION_SITE,
    OPTION_AS,
    OPTION_AT,
    OPTION_SEQUENCE,
    OPTION_VALID,
    OPTION_STORED_SEQUENCE,
    OPTION_STORED_DIGEST,
    OPTION_PAYLOAD,
    OPTION_PERMIT_UNSAFE,
    OPTION_ROLE,
    OPTION_FAMILY,
    OPTION_BOARD,
    OPTION_CODE,
    OPTION_DEVICE_KEY,
    OPTION_SEAL_TO,
    OPTION_DEVICE,
    OPTION_COUNT
};

enum { TOOL_FILES_MAX = 8, TOOL_PATH_MAX = 4096, TOOL_JWK_MAX = 4096 };

struct tool {
    const struct command *command;
    const char *option[OPTION_COUNT]; /* NULL: not given; "" for one without a value */
    const char *file[TOOL_FILES_MAX]; /* what is not an option */
    unsigned file_count;
    bool stdin_used;
    struct arena arena; /* documents and file contents */
    struct site site;
    struct fault fault;
};

struct command {
    const char *name;
    const char *summary;
    const char *usage; /* the arguments, as in `joinctl NAME USAGE` */
    const char *help;  /* what it does, with an example */
    uint32_t options;  /* bit set of enum option */
    unsigned min_files, max_files;
    int (*run)(struct tool *t);
};

#define OPTION_BIT(o) (UINT32_C(1) << (o))

/* Reads argv behind the command's name. False: a usage error was printed. */
bool args_read(struct tool *t, int argc, char **argv);
/* The option's text of a command, such as "--key FILE", for its help. */
void args_print(const struct command *c, FILE *out);

/* Says how the command is used, and why it was not understood. TOOL_USAGE. */
int tool_usage(const struct tool *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prints an operating system's error about a file. TOOL_USAGE. */
int tool_io(const char *file, const char *what);
/* Prints t->fault (or the error's explanation if it is another) as a refusal of this file. TOOL_REFUSED. */
int tool_refuse(const struct tool *t, const char *file, enum err e);
/* Puts the end of a good answer on stdout: a full disk must not look like a yes. */
int tool_end(void);
/* A bad value of an option. TOOL_USAGE. */
int tool_bad_option(const struct tool *t, const char *option, const char *want);

/* Reads a file, or stdin for "-", into the arena. False: the error was printed. Of a file with more than `max` bytes the first max + 1 are read,
 * so that whoever knows the limit refuses it. */
bool tool_read(struct tool *t, const char *file, size_t max, struct span *ret);
/* Creates a file with this mode; refuses to touch one that exists. TOOL_YES or TOOL_USAGE. */
int tool_create(const char *file, unsigned mode, struct span data);
/* Replaces a file through a temporary one in the same folder and rename, or writes to stdout for "-". TOOL_YES or TOOL_USAGE. */
int tool_replace(const char *file, unsigned mode, struct span data);
/* How a file is called in messages. */
const char *tool_file_name(const char *file);

/* The time of --at, or the system's. False: a usage error was printed. */
bool tool_now(const struct tool *t, int64_t *ret_s);
/* True if -o json was given. *ret_bad: another -o was, and the usage error is printed. */
bool tool_wants_json(const struct tool *t, bool *ret_bad);

/* The commands. */
int key_generate(struct tool *t);
int key_thumbprint(struct tool *t);
int pin_run(struct tool *t);
int sign_run(struct tool *t);
int verify_run(struct tool *t);
int validate_run(struct tool *t);
int explain_run(struct tool *t);
int errors_run(struct tool *t);
int example_run(struct tool *t);
int image_run(struct tool *t);
int seal_open(struct tool *t);

/* Reads a device's public key: a JWK, or an enrolment record, of which ret_machine gets who it is. TOOL_YES, or the exit code. */
int seal_load_key(struct tool *t, const char *file, struct jose_key *ret, struct machine *ret_machine,
                  bool *ret_has_machine);

/* Reads a site configuration into t->site. TOOL_YES, or the exit code after the message was printed. */
int verify_load_site(struct tool *t, const char *file);

/* What a bundle asks for, as lines of text or as one JSON object; secrets stand there as "<secret>". */
void tool_summary(const struct bundle *b, bool json, struct buf *ret);
/* Prints what bundle_notes says, with positions in this file; or appends it as a JSON array. */
void tool_notes(const char *file, const struct bundle *b);
void tool_notes_json(const struct bundle *b, struct buf *ret);

/* Appends a tree as YAML in which every string is double-quoted and every boolean and integer plain; null entries of maps are left out. */
void emit_document(const struct yaml_node *root, struct buf *ret);

#endif
