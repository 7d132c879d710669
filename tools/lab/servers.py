"""The lab's real servers: dnsmasq (DHCPv4, router advertisements, RDNSS, DNS) and nginx (TLS), inside a namespace of the lab's world."""
import os
import re
import signal
import socket
import subprocess

from proc import LabError, wait_for

COUNTS = re.compile(r"(\d+) packets? captured\D+(\d+) packets? received by filter\D+(\d+) packets? dropped by kernel")
TOKEN = "clvldh.vjjwg16ucnhp94qr"


class Dnsmasq:
    """DHCPv4 with reservations, RA with a prefix and RDNSS, DNS for the lab's names. net4 and net6 are the /24 and the /64 behind whose ends
    addresses go on; the resolver is the first address of each."""

    def __init__(self, world, ns, bridge="br0", reserve=None, hosts=None, ra=True, dhcp4=True, router=None, ra_interval=4,
                 ra_lifetime=600, extra=(), net4="10.100.0.", net6="fd00:1:2:3::"):
        self.world, self.ns, self.name = world, ns, f"dnsmasq-{bridge}"
        self.leases = world.path(f"{self.name}.leases")
        lines = ["no-resolv", "no-hosts", "keep-in-foreground", "log-facility=-", "log-dhcp", "bind-interfaces", f"interface={bridge}",
                 "except-interface=lo", f"pid-file={world.path(self.name + '.pid')}", f"dhcp-leasefile={self.leases}", "no-ping",
                 "user=root", "local=/lab/", *extra]
        if dhcp4:
            lines += [f"dhcp-range={net4}100,{net4}199,255.255.255.0,1h", "dhcp-authoritative", "dhcp-rapid-commit",
                      f"dhcp-option=option:router,{router or net4 + '1'}", f"dhcp-option=option:dns-server,{net4}1"]
        lines += [f"dhcp-host={mac},{ip}" for mac, ip in (reserve or {}).items()]
        if ra:
            lines += ["enable-ra", f"dhcp-range={net6},ra-only,64,1h", f"dhcp-option=option6:dns-server,[{net6}1]",
                      f"ra-param={bridge},{ra_interval},{ra_lifetime}"]
        for host, ips in (hosts or {}).items():
            lines += [f"host-record={host},{','.join(ips)}"]
        self.conf = world.write(f"{self.name}.conf", "\n".join(lines) + "\n")
        self.proc = None

    def start(self):
        self.proc = self.world.popen(["dnsmasq", f"--conf-file={self.conf}"], ns=self.ns, log=f"{self.name}.log")
        wait_for("dnsmasq", lambda: self.proc.poll() is not None or "started" in self.world.tail(f"{self.name}.log", 30))
        if self.proc.poll() is not None:
            raise LabError(f"dnsmasq ended: {self.world.tail(self.name + '.log')}")
        return self

    def stop(self):
        if self.proc:
            from proc import stop
            stop(self.proc)
            self.proc = None


class Nginx:
    """nginx with any number of TLS servers, each {listen: [...], cert, key, root, extra}."""

    def __init__(self, world, ns, servers, name="nginx", protocols="TLSv1.3"):
        self.world, self.ns, self.name, self.servers, self.protocols = world, ns, name, servers, protocols
        self.proc = None

    def config(self):
        folder = self.world.path(self.name)
        os.makedirs(folder, exist_ok=True)
        out = [f"daemon off; pid {folder}/pid; error_log {folder}/error.log info; worker_processes 1; user root;",
               "events { worker_connections 256; }", "http {", "default_type application/octet-stream;",
               "log_format lab '$remote_addr $server_protocol $ssl_protocol \"$request\" $status $body_bytes_sent \"$http_authorization\"';",
               f"access_log {folder}/access.log lab;"]
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
            out.append(f"{kind}_temp_path {folder}/{kind};")
        for s in self.servers:
            out.append("server {")
            for listen in s["listen"]:
                out.append(f"listen {listen}{' ssl' if s.get('cert') else ''};")
            if s.get("cert"):
                out.append(f"ssl_certificate {s['cert']}; ssl_certificate_key {s['key']}; ssl_protocols {s.get('protocols', self.protocols)};")
            out.append(f"root {s['root']}; {s.get('extra', '')}")
            out.append("}")
        out.append("}")
        return self.world.write(f"{self.name}/nginx.conf", "\n".join(out) + "\n")

    def start(self):
        conf = self.config()
        self.proc = self.world.popen(["nginx", "-c", conf, "-p", self.world.path(self.name)], ns=self.ns, log=f"{self.name}.log")
        self.pid = self.world.path(self.name, "pid")
        wait_for("nginx", lambda: self.proc.poll() is not None or os.path.exists(self.pid) and os.path.getsize(self.pid))
        if self.proc.poll() is not None:
            raise LabError(f"nginx ended: {self.world.tail(self.name + '.log')}")
        return self

    def stop(self):
        if self.proc:
            from proc import stop
            stop(self.proc)
            self.proc = None

    def restart(self):
        self.stop()
        return self.start()

    def access(self):
        try:
            with open(self.world.path(self.name, "access.log")) as f:
                return f.read().splitlines()
        except OSError:
            return []


class Capture:
    """tcpdump on a link of a namespace, for the tests that prove what went over the wire."""

    def __init__(self, world, ns, link, name="capture.pcap", expression="tcp"):
        self.world, self.log, self.file = world, f"{name}.log", world.path(name)
        self.proc = world.popen(["tcpdump", "-i", link, "-w", self.file, "-U", "--immediate-mode", "-s", "0", "-Z", "root", expression], ns=ns, log=self.log)
        wait_for("tcpdump", lambda: "listening" in world.tail(self.log))

    def _counts(self):
        """(captured, received, dropped), as it says when asked or at its end."""
        said = [[int(n) for n in m] for m in COUNTS.findall(self.world.tail(self.log, 8))]
        return said[-1] if said else None

    def stop_whole(self):
        """Ends it when all that passed the link is in the file; LabError if frames were lost. The link is quiet."""
        def settled():
            self.proc.send_signal(signal.SIGUSR1)
            counts = self._counts()
            return counts and counts[0] == counts[1]
        wait_for("the whole capture", settled, 5, 0.1)
        self.stop()
        if self._counts()[2]:
            raise LabError(f"{self.file}: {self._counts()[2]} frames were lost")

    def stop(self):
        from proc import stop
        stop(self.proc)

    def text(self, *filters):
        """tcpdump's lines for a filter."""
        done = subprocess.run(["tcpdump", "-nn", "-r", self.file, *filters], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.splitlines()

    def connections(self, port):
        """How many TCP connections were opened to a port: SYNs without ACK, retransmissions counted once."""
        seen = set()
        for line in self.text(f"(tcp or ip6) and dst port {port}"):
            if "Flags [S]" in line:
                seen.add(line.split()[2])
        return len(seen)


def family_of(address):
    return "ipv6" if ":" in address else "ipv4"


def port_open(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.2)
        return s.connect_ex((address, port)) == 0
