"""The lab's real servers: dnsmasq (DHCPv4, router advertisements, RDNSS, DNS) and nginx (TLS), inside a namespace of the lab's world."""
import os
import socket
import subprocess

from proc import LabError, wait_for

TOKEN = "clvldh.vjjwg16ucnhp94qr"


class Dnsmasq:
    """DHCPv4 with reservations, RA with the prefix fd00:1:2:3::/64 and RDNSS, DNS for the lab's names."""

    def __init__(self, world, ns, bridge="br0", reserve=None, hosts=None, ra=True, dhcp4=True, router="10.100.0.1", ra_interval=4,
                 ra_lifetime=600, extra=()):
        self.world, self.ns, self.name = world, ns, f"dnsmasq-{bridge}"
        lines = ["no-resolv", "no-hosts", "keep-in-foreground", "log-facility=-", "log-dhcp", "bind-interfaces", f"interface={bridge}",
                 "except-interface=lo", f"pid-file={world.path('dnsmasq.pid')}", f"dhcp-leasefile={world.path('dnsmasq.leases')}", "no-ping",
                 "user=root", "local=/lab/", *extra]
        if dhcp4:
            lines += ["dhcp-range=10.100.0.100,10.100.0.199,255.255.255.0,1h", "dhcp-authoritative", "dhcp-rapid-commit",
                      f"dhcp-option=option:router,{router}", "dhcp-option=option:dns-server,10.100.0.1"]
        lines += [f"dhcp-host={mac},{ip}" for mac, ip in (reserve or {}).items()]
        if ra:
            lines += ["enable-ra", "dhcp-range=fd00:1:2:3::,ra-only,64,1h", "dhcp-option=option6:dns-server,[fd00:1:2:3::1]",
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
        self.file = world.path(name)
        self.proc = world.popen(["tcpdump", "-i", link, "-w", self.file, "-U", "-s", "0", "-Z", "root", expression], ns=ns, log=f"{name}.log")
        wait_for("tcpdump", lambda: "listening" in world.tail(f"{name}.log"))

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
