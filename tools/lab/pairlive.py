"""make lab BOARD=...: a BMC and its host, live.

The config server answers over IPv6 first; when the BMC serves what it fetched, a newer bundle is there, over IPv4 alone; when that is served, the host is
switched on. It joins by what came over the link, and its report closes the BMC's window. At the end the captures of all three networks are searched for the
bootstrap token. FAULT=unsealed: the operator did not seal, and both sites permit it; the host joins, and the search finds the token.
"""
import os
import time

import journal
import wire
from nodes import READY_S
from pair import BMCS, MANAGEMENT, NETWORKS, Pair
from proc import LabError
from servers import TOKEN

BOARDS = tuple(BMCS)
FAULTS = ("", "unsealed")
JOIN_S = READY_S


class PairLive:
    def __init__(self, world, screen, build, out, board, real, fault):
        self.world, self.screen, self.build, self.out, self.board, self.real, self.fault = world, screen, build, out, board, real, fault
        self.events = {"bmc": [], "host": []}
        self.began = time.monotonic()

    def line(self, name, text):
        e = journal.parse(text)
        if e:
            self.events[name].append(e)
            self.screen.event(e, f"{name:<4} ")

    def operator(self, text):
        self.screen.say(f"  (lab)        {text}")

    def setup(self):
        if self.real:
            from pairkube import KubePair as kind
        else:
            kind = Pair
        self.pair = p = kind(self.world, self.build, self.board, out=self.out, on_line=self.line, sealed=self.fault != "unsealed")
        say = self.screen.say
        say(f"cluster: {p.notice}")
        say("networks: management (BMC, config server), link (BMC, host), cluster (host, API server); nothing routes between them")
        p.bmc.install(p.bmc_site())
        p.answer("ipv6")
        self.bundle = p.publish(1)
        p.dns.start()
        p.capture()
        say(f"power on: the BMC, {p.bmc.board}: {p.bmc.what}\n")

    def show(self):
        """Both boots; AssertionError or LabError with what did not happen."""
        p = self.pair
        p.bmc.power_on()
        p.bmc.wait_open(1, p.bmc.boot_s)
        self.operator("the config server answers over IPv4 only from now on, and has a newer bundle")
        p.answer("ipv4")
        self.bundle = p.publish(2)
        p.bmc.wait_open(2, p.bmc.boot_s)
        self.operator("power on: the host, x86_64, which has no way to the config server")
        p.host_on()
        p.host.wait_joined(JOIN_S)
        p.host.wait_done("report", JOIN_S)
        p.bmc.wait_closed("joined")
        if self.real:
            p.host.wait_ready(READY_S)

    def check(self):
        """What must hold of a lab that went through; a list of what does not."""
        p, wrong = self.pair, []
        tls = [(e.get("family"), e.get("tls")) for e in self.events["bmc"] if e.event == "done" and e.phase in ("fetch", "serve")]
        for family in ("ipv6", "ipv4"):
            if (family, "TLSv1.3") not in tls:
                wrong.append(f"the BMC fetched nothing by TLS 1.3 over {family}: {tls}")
        if not wire.holds(p.captures["link"].file, [self.bundle]):
            wrong.append("the link's capture does not hold the bundle that the host joined with")
        if not wire.holds(p.captures["link"].file, [b"PUT /joined HTTP/1.1"]):
            wrong.append("the link's capture does not hold the host's report")
        if wire.holds(p.captures["management"].file, [self.bundle]):
            wrong.append("the bundle went over the management network without TLS")
        if any("config" in line for line in p.captures["cluster"].text("port", "53")) or p.captures["cluster"].text(MANAGEMENT):
            wrong.append("the host looked for the config server on the cluster's network")
        return wrong

    def times(self):
        say, events = self.screen.say, self.events
        say("\nmachine  phase        start ms    ms  attempts")
        for name, seen in events.items():
            for row in journal.phases_of(seen):
                result = "" if row["result"] == "ok" else f"  {row['result']}"
                say(f"  {name:<6} {row['name']:<10} {row['start_ms']:8d} {row['ms']:6d}  {row['attempts']}{result}")
        say("\nwhat, seconds after that machine's start")
        for e in events["bmc"]:
            if e.event == "done" and e.phase in ("fetch", "serve"):
                say(f"  bmc    {e.ms / 1000:7.3f}  fetched over {e.get('family')}, {e.get('tls')}, {e.get('bytes')} bytes")
            elif e.phase == "serve" and e.event in ("open", "closed"):
                what = f"stored and served: sequence {e.get('sequence')}" if e.event == "open" else f"window closed: {e.get('why')}"
                say(f"  bmc    {e.ms / 1000:7.3f}  {what}")
        for phase, text in (("bmc", "the bundle came over the link"), ("discover", "the cluster was proven over"), ("joined", "joined"),
                            ("report", "reported to the BMC")):
            e = journal.last(events["host"], phase)
            if e:
                say(f"  host   {e.ms / 1000:7.3f}  {text} {e.get('family')}".rstrip())

    def token(self):
        """Searches the captures; True if the token is in clear nowhere."""
        p, say = self.pair, self.screen.say
        files, found = p.stop_capture(), p.in_clear()
        say(f"\nthe bootstrap token, searched for in every frame and every TCP connection, as it is and in base64 ({len(wire.spellings(TOKEN))} spellings):")
        for name in NETWORKS:
            n, connections = sum(1 for _ in wire.frames(files[name])), len(wire.streams(files[name])) // 2
            say(f"  {name:<11} {n:6d} frames {connections:4d} connections  " + ("IN CLEAR" if name in found else "not there"))
        return not found

    def finish(self, failed):
        p, say, out = self.pair, self.screen.say, self.out
        if self.real:
            say("\n" + p.lab.control.kubectl("get", "nodes", "-o", "wide").rstrip())
        for name, board, arch, file in (("host", "linux", "x86_64", "report.json"), ("bmc", p.bmc.board, p.bmc.arch, "report-bmc.json")):
            journal.write_report(os.path.join(out, file), journal.report(self.events[name], board, arch, "kubernetes" if self.real else "stand-in"))
        self.times()
        if self.real and p.host.machine:
            say("  host   registered {}, Ready {} seconds after power-on".format(*("-" if t is None else f"{t:.1f}" for t in p.host.times())))
        p.host.power_off()
        p.bmc.power_off()
        silent = self.token()
        wrong = ([] if silent else ["the bootstrap token is in clear on a network"]) + (failed or self.check())
        say(f"\n{out}: report.json report-bmc.json {os.path.basename(p.host.log)} console-bmc.log "
            + " ".join(os.path.basename(c.file) for c in p.captures.values()))
        for text in wrong:
            say(f"lab: {text}")
        if not wrong:
            say(f"the host joined through its BMC, which fetched over both families; {time.monotonic() - self.began:.0f} s in all")
        return 1 if wrong else 0

    def run(self):
        self.setup()
        try:
            self.show()
        except (AssertionError, LabError) as e:
            return self.finish([str(e).splitlines()[0].removesuffix("; the console said:")])
        return self.finish([])
