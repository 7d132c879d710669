#!/usr/bin/env python3
"""make bench BOARD=ast2600-evb: from the exec of QEMU to a bare BMC that serves its host's bundle, beginning with an empty flash.

In that time: start-up code, entropy, both families' addresses, DNS, the fetch of a bundle sealed to the host over TLS 1.3 (P-256), its checks, the bundle
and then its sequence written to flash. It ends with the line `serve open` on the console. QEMU's own start is in it: the same run says when the
machine's clock began.

Environment: BUILD; BENCH_RUNS (11). Writes BUILD/bench-ast2600-evb.json. Exit: 0 measured, whatever the numbers are; 2 it could not run.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import metal  # noqa: E402
from bundle import Operator  # noqa: E402
from console import Console  # noqa: E402
from pki import Authority  # noqa: E402
from proc import LabError, World, need_root  # noqa: E402
from servers import Dnsmasq, Nginx  # noqa: E402

GOAL_S = 0.6
CONFIG = "config.joinboot.lab"
HOST = "7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b"
ROWS = ("identify", "resume", "link", "address", "clock", "locate", "fetch", "verify", "parse", "accept", "commit")


class Bench:
    def __init__(self, world, build):
        self.world, self.build = world, build
        joinctl = os.path.join(build, "host/joinctl")
        self.net = world.netns("net")
        world.bridge(self.net, "br0", ["10.100.0.1/24", "fd00:1:2:3::1/64"])
        world.bridge(self.net, "br1")
        self.taps = world.tap(self.net, "br0"), world.tap(self.net, "br1", "tap1")
        ca = Authority(world.path("ca"), "bench")
        cert, key = ca.leaf("config", f"DNS:{CONFIG}")
        op = Operator(world, joinctl)
        www = world.path("www")
        os.makedirs(www)
        jwk = world.write("host.jwk", subprocess.run([joinctl, "keygen", "--device", "--out", world.path("host.device")], check=True, text=True,
                                                     stdout=subprocess.PIPE).stdout)
        shutil.copy(op.sign(op.node(uuid=HOST), op.join(ca.pin(), node_ip=None), extra=["--seal-to", jwk]), os.path.join(www, "node.jws"))
        self.site = op.site(ca, f"https://{CONFIG}/node.jws", extra=["nic = mac1", "host-link = mac2", f"host-uuid = {HOST}"])
        Dnsmasq(world, self.net, reserve={metal.MACS[0]: "10.100.0.2"}, hosts={CONFIG: ["10.100.0.1", "fd00:1:2:3::1"]}).start()
        Nginx(world, self.net, [{"listen": ["[fd00:1:2:3::1]:443", "10.100.0.1:443"], "cert": cert, "key": key, "root": www}]).start()

    def run(self):
        """Seconds from exec to serving, seconds of these on the machine's clock, seconds of the emulator's CPU, and when on it each row was done, in ms."""
        image = metal.flash_image(self.world, self.world.path("flash"), self.build, self.site)
        console = Console(self.world.path("console.log"))
        board = metal.Board(self.world, self.net, image, taps=self.taps)
        console.follow(board.proc.stdout)
        opened = console.wait("serving", lambda e: e.phase == "serve" and e.event == "open", 60)
        took = time.monotonic() - board.began
        with open(f"/proc/{board.proc.pid}/stat") as f:
            cpu = sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
        console.wait("its sequence stored", lambda e: e.phase == "commit" and e.event == "done", 60)
        board.power_off()
        rows = {e.phase: e.ms for e in console.events if e.event == "done"}
        errors = [e.get("code") for e in console.events if e.event == "error"]
        fetch = next(e for e in console.events if e.phase == "fetch" and e.event == "done")
        if errors or fetch.get("tls") != "TLSv1.3":
            raise LabError(f"not a clean run: {errors} {fetch.all}")
        return took, opened.ms / 1000, cpu, rows


def main():
    need_root()
    build = os.path.abspath(os.environ.get("BUILD") or "build")
    runs = int(os.environ.get("BENCH_RUNS") or 11)
    folder = tempfile.mkdtemp(prefix="joinboot-bench-")
    try:
        with World("benchm", folder) as world:
            bench = Bench(world, build)
            found = [bench.run() for _ in range(runs + 1)][1:]  # the first fills the caches
    except (LabError, AssertionError, subprocess.CalledProcessError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = sorted(t for t, *_ in found)
    median, inside = statistics.median(took), statistics.median(t for _, t, *_ in found)
    cpu = statistics.median(c for _, _, c, _ in found)
    rows = {name: statistics.median(r.get(name, 0) for *_, r in found) for name in ROWS}
    print(f"exec of QEMU to serving, {runs} runs: median {median:.3f} s ({took[0]:.3f} to {took[-1]:.3f}); {inside:.3f} s of it on the machine's clock; "
          f"{cpu:.2f} s of CPU")
    print("rows done on the machine's clock, median ms: " + ", ".join(f"{name} {ms:g}" for name, ms in rows.items()))
    print(f"load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; goal {GOAL_S} s: {'met' if median <= GOAL_S else 'not met'}")
    out = os.path.join(build, "bench-ast2600-evb.json")
    with open(out + ".new", "w") as f:
        json.dump({"schema": "joinboot/bench-bmc/v1", "runs_ms": [round(t * 1000, 1) for t in took], "median_ms": round(median * 1000, 1),
                   "machine_ms": round(inside * 1000, 1), "cpu_ms": round(cpu * 1000), "goal_ms": GOAL_S * 1000, "rows_ms": rows}, f, indent=1)
        f.write("\n")
    os.rename(out + ".new", out)
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
