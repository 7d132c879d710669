"""Reads the agent's boot journal (firmware/agent/journal.h) off a console, and makes report.json from it and from nothing else."""
import json
import re

LINE = re.compile(r"^joinboot\[(\d+)\.(\d{3})\] (\S+) (\S+)(.*)$")
PAIR = re.compile(r' ([a-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")


def unescape(text):
    return ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else m[1], text)


class Event:
    """One line: time in ms, phase, event, and its pairs; a key that stands several times has a list in `all`."""

    def __init__(self, ms, phase, event, rest):
        self.ms, self.phase, self.event = ms, phase, event
        self.all = {}
        for key, quoted, plain in PAIR.findall(rest):
            self.all.setdefault(key, []).append(unescape(quoted) if quoted else plain)

    def get(self, key, default=""):
        return self.all.get(key, [default])[0]

    def num(self, key):
        return int(self.get(key, "0") or 0)


def parse(line):
    """The event of a console line, or None."""
    m = LINE.match(line.strip("\r\n"))
    return Event(int(m[1]) * 1000 + int(m[2]), m[3], m[4], m[5]) if m else None


def read(text):
    return [e for e in map(parse, text.splitlines()) if e]


def phases_of(events):
    """One row per phase in the order of the first attempt: the last result counts, failed attempts are counted."""
    rows = {}
    for e in events:
        if e.event == "done":
            rows[e.phase] = {"name": e.phase, "start_ms": e.num("start_ms"), "ms": e.num("ms"), "attempts": e.num("attempts"), "result": "ok"}
        elif e.event == "error":
            row = rows.setdefault(e.phase, {"name": e.phase, "start_ms": e.ms, "ms": 0, "attempts": 0, "result": ""})
            row["attempts"] = max(row["attempts"], e.num("attempt"))
            row["result"] = e.get("code")
    return list(rows.values())


def last(events, phase, event="done"):
    found = [e for e in events if e.phase == phase and e.event == event]
    return found[-1] if found else None


def report(events, board, arch, cluster):
    """report.json as DESIGN section 8 has it."""
    rows = phases_of(events)
    out = {"schema": "joinboot/report/v1", "board": board, "arch": arch, "cluster": cluster,
           "result": "joined" if last(events, "joined") else next((r["result"] for r in reversed(rows) if r["result"] != "ok"), "incomplete"),
           "phases": rows, "families": {"ipv4": {}, "ipv6": {}}, "fetch": {}, "discover": {}, "kubelet": {"argv": [], "files": []}}
    network = last(events, "network") or last(events, "address")
    if network:
        for family, router in (("ipv4", "router4"), ("ipv6", "router6")):
            if family in network.all:
                out["families"][family] = {"address": network.all[family][-1], "router": network.get(router)}
    fetch, discover = last(events, "fetch"), last(events, "discover")
    if fetch:
        out["fetch"] = {k: fetch.get(k) for k in ("family", "url", "tls")}
    if discover:
        out["discover"] = {k: discover.get(k) for k in ("family", "tls")}
    files = {}
    for e in events:
        if e.event == "file":
            files[e.get("path")] = {"path": e.get("path"), "mode": e.get("mode"), "sha256": e.get("sha256")}
        if e.event == "kubelet" and "arg" in e.all:
            out["kubelet"]["argv"] = e.all["arg"]
    out["kubelet"]["files"] = list(files.values())
    return out


def write_report(path, data):
    with open(path + ".new", "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")
    import os
    os.rename(path + ".new", path)
