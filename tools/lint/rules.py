"""Rules on the text of sources: layers, banned functions, lengths, conditional compilation.

Each rule takes a Source and yields (line, message). Comments and strings are blanked first, line numbers kept.
"""

import os
import re

# A room may include rooms with a smaller number, and itself. net and config are siblings: they never see each other.
LAYERS = {
    "firmware/base": 0,
    "boards": 0,  # boards/board.h, types only
    "firmware/crypto": 1,
    "net": 2,
    "net/lwip": 2,
    "net/lwip/arch": 2,
    "config": 2,
    "firmware/kube": 3,
    "firmware/agent": 4,
    "boards/linux": 5,
    "boards/sim": 5,
    "boards/ast2600-evb": 5,
    "tools/joinctl": 5,
    "tests": 6,
}
# A board's map of its flash is data: whoever makes images reads it too.
FLASH_MAP = re.compile(r"^boards/[^/]+/map\.h$")
JOINCTL_ROOMS = {"firmware/base", "firmware/crypto", "config", "tools/joinctl"}

# Third-party headers, and the files that may include them.
CONFINED = [
    (re.compile(r"^(lwip|netif)/"), re.compile(r"^(net/|tests/)"), "lwIP headers belong in net/"),
    (re.compile(r"^(mbedtls|psa)/"), re.compile(r"^(firmware/crypto/|tests/)"), "mbedTLS headers belong in firmware/crypto"),
    (re.compile(r"^yaml\.h$"), re.compile(r"^(config/(yaml|gate)[a-z_]*\.c$|tests/)"), "libyaml's header belongs in config/yaml.c and its gate"),
]

# The portable rooms know only the language; hardware and operating systems are for boards/.
PORTABLE = re.compile(r"^(firmware|net|config)/|^boards/board\.h$")
LANGUAGE_HEADERS = {
    "assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h", "stdlib.h", "string.h", "time.h",
}

UNSAFE = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "alloca", "atoi", "atol", "strncpy", "scanf", "sscanf"}
HEAP = {"malloc", "calloc", "realloc", "strdup", "strndup", "free", "asprintf", "getline"}
PREDICTABLE = {"rand", "srand", "random", "srandom", "drand48"}
NO_HEAP = re.compile(r"^(firmware|net|config|boards/linux)/")

CONFIGURATION = {"net/lwipopts.h", "net/lwip/arch/cc.h", "firmware/crypto/mbedtls_config.h"}

FILE_LINES_MAX = 450
FILE_LINES_MEAN = 250
FUNCTION_LINES_MAX = 60
TEST_FUNCTION_LINES_MAX = 100  # a test may hold its table of vectors
NESTING_MAX = 3

BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CALL = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
CONTROL = re.compile(r"^( +)(if|for|while|switch|do)\b")


class Source:
    """One file: its path from the root, its raw lines, and its lines without comments and strings."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.raw = text.split("\n")
        if self.raw and not self.raw[-1]:
            self.raw.pop()
        self.code = BLANKED.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text).split("\n")


def room_of(path):
    if path.startswith("tests/"):
        return "tests"
    return os.path.dirname(path)


def includes(source):
    for number, line in enumerate(source.raw, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def layers(source):
    """The include graph goes down only, and third-party and system headers stay where they are wrapped."""
    own = room_of(source.path)
    level = LAYERS.get(own, 6)
    for number, quoted, name in includes(source):
        for header, allowed, message in CONFINED:
            if header.match(name) and not allowed.match(source.path):
                yield number, message
        if not quoted:
            if PORTABLE.match(source.path) and "/" not in name and name not in LANGUAGE_HEADERS and name != "yaml.h":
                yield number, f"<{name}> is a system header: the portable rooms have only the language's"
            continue
        if re.match(r"^(lwip|netif|mbedtls|psa|arch)/", name):
            continue
        if not os.path.exists(name) or "/" not in name:
            yield number, f'"{name}" is not a path from the repository\'s root'
            continue
        if FLASH_MAP.match(name):
            continue
        room = room_of(name)
        if room.split("/lwip")[0] == own.split("/lwip")[0] or source.path.startswith("tests/"):
            continue
        if LAYERS.get(room, 6) >= level and not (level == 0 and LAYERS.get(room, 6) == 0):
            yield number, f"{own} (layer {level}) may not include {room} (layer {LAYERS.get(room, 6)})"
        if own == "tools/joinctl" and room not in JOINCTL_ROOMS:
            yield number, f"joinctl is made of base, crypto and config only, not {room}"


def portable_systems(source):
    """A portable room includes no <dir/header.h> but lwIP's and mbedTLS's."""
    if not PORTABLE.match(source.path) or source.path in CONFIGURATION:
        return
    for number, quoted, name in includes(source):
        if not quoted and "/" in name and not re.match(r"^(lwip|netif|mbedtls|psa)/", name):
            yield number, f"<{name}> is a system header: the portable rooms have only the language's"


def banned(source):
    names = set(UNSAFE)
    if not source.path.startswith("tests/"):
        names |= PREDICTABLE
    if NO_HEAP.match(source.path):
        names |= HEAP
    for number, line in enumerate(source.code, 1):
        for match in CALL.finditer(line):
            before = line[: match.start()].rstrip()
            if match.group(1) in names and not before.endswith((".", "->", "*")):
                yield number, f"{match.group(1)}() is banned here"


def unfinished(source):
    for number, line in enumerate(source.raw, 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield number, "unfinished work is not left in comments"


def lengths(source):
    if len(source.raw) > FILE_LINES_MAX:
        yield len(source.raw), f"file has {len(source.raw)} lines, at most {FILE_LINES_MAX}"
    most = TEST_FUNCTION_LINES_MAX if source.path.startswith("tests/") else FUNCTION_LINES_MAX
    start = None
    for number, line in enumerate(source.code, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > most:
                yield start, f"function has {number - start - 1} lines, at most {most}"
            start = None


def nesting(source):
    if source.path.startswith("tests/"):
        return
    inside = False
    for number, line in enumerate(source.code, 1):
        if line.startswith("{"):
            inside = True
        elif line.startswith("}"):
            inside = False
        match = CONTROL.match(line)
        if inside and match and len(match.group(1)) > 4 * NESTING_MAX:
            yield number, f"more than {NESTING_MAX} levels of nesting"


def conditionals(source):
    """Lines of #if beside include guards; configuration headers and tests are not counted."""
    if source.path in CONFIGURATION or source.path.startswith("tests/"):
        return []
    found = [n for n, line in enumerate(source.code, 1) if re.match(r"^\s*#\s*(if|ifdef|ifndef)\b", line)]
    if source.path.endswith(".h") and found:
        first = found[0]
        if re.match(r"^\s*#\s*ifndef\s+JOINBOOT_\w+_H\b", source.code[first - 1]):
            found = found[1:]
    return found


RULES = [layers, portable_systems, banned, unfinished, lengths, nesting]


def check(paths):
    """All findings of all files as text lines, in order."""
    findings, lines, conditional = [], [], []
    for path in paths:
        source = Source(path)
        for rule in RULES:
            findings += [f"{path}:{n}: {message}" for n, message in rule(source)]
        lines.append(len(source.raw))
        conditional += [f"{path}:{n}" for n in conditionals(source)]
        if path.endswith(".h") and path not in CONFIGURATION and not guard(source):
            findings.append(f"{path}:1: no include guard JOINBOOT_..._H")
    if lines and sum(lines) / len(lines) >= FILE_LINES_MEAN:
        findings.append(f"files have {sum(lines) // len(lines)} lines in the mean, under {FILE_LINES_MEAN} is asked")
    if len(conditional) > max(1, sum(lines) // 1000):
        findings.append(f"{len(conditional)} #if in {sum(lines)} lines, at most 1 in 1000: {' '.join(conditional)}")
    return findings


def guard(source):
    return any(re.match(r"^#ifndef JOINBOOT_\w+_H$", line) for line in source.raw)
