"""After the hand-over: the agent renews its lease and follows router advertisements while the kernel owns the addresses.

The servers are real dnsmasq with the shortest lease that it gives (two minutes) and T1 and T2 of its own choice, and a small DHCP server that can
refuse, fall silent and lend for seconds, for what no well-behaved server does.
"""
import re
import time
import unittest

from proc import run, wait_for
from rack import MAC, Rack
from servers import Capture
from suite_network import in_node

SLAAC = "fd00:1:2:3:5054:ff:fe4a:4202"

# Lends 10.100.0.2; the file named first says how it behaves: good, mute, nak, other.
SERVER = """
import socket, struct, sys
mood, lease, t1, t2 = sys.argv[1], *map(int, sys.argv[2:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'br0'); s.bind(('', 67)); print('ready', flush=True)
us = socket.inet_aton('10.100.0.1')
while True:
    m, peer = s.recvfrom(2000)
    now, kind, at = open(mood).read().strip(), 0, 240
    while m[at] != 255:
        if m[at] == 53: kind = m[at + 2]
        at += 2 + m[at + 1] if m[at] else 1
    print(now, kind, socket.inet_ntoa(m[12:16]), peer[0], flush=True)
    if now == 'mute': continue
    answer = 2 if kind == 1 else 6 if now == 'nak' else 5
    gift = '0.0.0.0' if answer == 6 else '10.100.0.77' if now == 'other' else '10.100.0.2'
    out = bytes([2, 1, 6, 0]) + m[4:8] + bytes(2) + m[10:12] + m[12:16] + socket.inet_aton(gift) + us + bytes(4) + m[28:44] + bytes(192)
    out += bytes.fromhex('63825363') + bytes([53, 1, answer, 54, 4]) + us
    if answer != 6:
        out += b''.join(bytes([c, 4]) + struct.pack('!I', v) for c, v in ((51, lease), (58, t1), (59, t2)))
        out += bytes([1, 4, 255, 255, 255, 0, 3, 4]) + us + bytes([6, 4]) + us
    s.sendto(out + b'\\xff', (peer[0] if peer[0] != '0.0.0.0' else '255.255.255.255', 68))
"""


def valid_s(rack, address):
    """What is left of the kernel's lifetime of an address: seconds, inf for `forever`, None if it is not there."""
    text = in_node(rack, "ip", "-o", "addr", "show", "dev", "eth0")
    found = re.search(re.escape(address) + r"/.*?valid_lft (\w+)", text)
    return found and (float("inf") if found[1] == "forever" else int(found[1].removesuffix("sec")))


def packet_sockets(rack):
    """How many packet sockets are open in the node's network namespace; the first line is a heading."""
    return run("ip", "netns", "exec", rack.node_ns, "cat", "/proc/net/packet", capture=True).count("\n") - 1


def default6(rack):
    """The route that the kernel would take out of the link now; the empty text if there is none. A route whose time is over may still be listed."""
    text = run("ip", "-n", rack.node_ns, "-6", "route", "get", "2001:db8:ffff::1", check=False, capture=True)
    return text if " via " in text else ""


def keep(rack, event, timeout, code=None):
    return rack.wait(f"keep {event} {code or ''}", lambda e: e.phase == "keep" and e.event == event and (not code or e.get("code") == code), timeout)


class Keeper(unittest.TestCase):
    def boot(self, rack):
        rack.publish(rack.op.sign(rack.node(network={}), rack.join(node_ip=f"10.100.0.2,{SLAAC}")))
        rack.servers()
        rack.boot()
        rack.wait_joined()

    @staticmethod
    def short(rack, router_s, t1, t2):
        with open(rack.dns.conf) as f:
            text = f.read()
        text = text.replace("255.255.255.0,1h", "255.255.255.0,120").replace("ra-only,64,1h", "ra-only,64,120").replace(",4,600", f",4,{router_s}")
        with open(rack.dns.conf, "w") as f:
            f.write(text + f"dhcp-option=option:T1,{t1}\ndhcp-option=option:T2,{t2}\n")

    def show_lease_and_routes_live_on(self):
        """Renewed at T1 by unicast, asked of everybody after T2, bound again; the default route lives on after three router lifetimes."""
        with Rack() as rack:
            self.short(rack, router_s=21, t1=5, t2=12)
            self.boot(rack)
            joined = time.monotonic()
            capture = Capture(rack.world, rack.net, "br0", expression="not tcp")
            self.assertLessEqual(valid_s(rack, "10.100.0.2"), 120)
            self.assertLessEqual(valid_s(rack, SLAAC), 120)
            self.assertEqual(packet_sockets(rack), 0)
            keep(rack, "renewed", 10)
            self.assertGreater(valid_s(rack, "10.100.0.2"), 114)
            # Three lifetimes of the router; dnsmasq leaves up to 20 seconds between its first advertisements.
            time.sleep(max(0.0, 64 - (time.monotonic() - joined)))
            self.assertIn("proto ra", default6(rack))
            self.assertGreater(valid_s(rack, SLAAC), 90)
            self.assertNotIn("router.lost", rack.console())
            self.assertIn("DHCPACK(br0) 10.100.0.2", rack.world.tail("dnsmasq-br0.log", 400))
            # Nothing that is sent to the client's port is answered.
            run("ip", "netns", "exec", rack.net, "python3", "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
                "[s.sendto(b'x' * n, ('10.100.0.2', 68)) for n in (1, 300, 1400)]")

            rack.dns.stop()
            e = keep(rack, "error", 30, "lease.renew")
            wait_for("router.lost", lambda: "code=router.lost" in rack.console(), 30)
            wait_for("the end of the route", lambda: not default6(rack), 5)
            self.assertEqual(e.get("peer"), "10.100.0.1")
            self.assertGreater(valid_s(rack, "10.100.0.2"), 80)
            rack.dns.start()
            wait_for("the IPv6 default route", lambda: "proto ra" in default6(rack), 25)
            keep(rack, "renewed", 70)
            self.assertGreater(valid_s(rack, "10.100.0.2"), 114)

            from_us = ["ether", "src", MAC, "and"]
            broadcast = "src host 10.100.0.2 and dst host 255.255.255.255 and udp dst port 67"
            # tcpdump gets its packets in bunches.
            wait_for("both broadcasts", lambda: len(capture.text(*from_us, broadcast)) >= 2, 5)
            capture.stop()
            unicast = capture.text(*from_us, "src host 10.100.0.2 and dst host 10.100.0.1 and udp src port 68 and dst port 67")
            self.assertGreaterEqual(len(unicast), 5)
            self.assertEqual(len(capture.text(*from_us, broadcast)), 2)
            # Whatever else left this machine is the kernel's own: ARP, neighbor discovery, group membership.
            self.assertEqual(capture.text(*from_us, "not (arp or icmp6 or (ip6 and ip6[6] == 0) or (udp src port 68 and dst port 67))"), [])
            self.assertEqual(rack.stop_agent(), 0)

    def show_expired_address_comes_back(self):
        """A refusal ends nothing; the end of the lease does, by name; then the same address is asked for until it is there again, with its route."""
        with Rack(dhcp4=False) as rack:
            mood = rack.world.write("mood", "good")

            def say(text):
                with open(mood, "w") as f:
                    f.write(text)

            rack.world.popen(["python3", "-c", SERVER, mood, 12, 3, 6], ns=rack.net, log="server.log")
            wait_for("server", lambda: "ready" in rack.world.tail("server.log"))
            self.boot(rack)
            keep(rack, "renewed", 10)
            say("nak")
            e = keep(rack, "error", 10, "lease.lost")
            self.assertIn("refused", e.get("text"))
            self.assertIsNotNone(valid_s(rack, "10.100.0.2"))
            say("other")
            keep(rack, "error", 20, "address.lost")
            wait_for("the address to end", lambda: valid_s(rack, "10.100.0.2") is None, 3)
            self.assertEqual(in_node(rack, "ip", "-4", "route", "show", "default"), "")
            e = keep(rack, "error", 20, "lease.lost")
            self.assertIn("10.100.0.77", e.get("text"))
            self.assertNotIn("10.100.0.77", in_node(rack, "ip", "addr"))
            say("good")
            keep(rack, "back", 30)
            self.assertGreater(valid_s(rack, "10.100.0.2"), 8)
            self.assertIn("via 10.100.0.1", in_node(rack, "ip", "-4", "route", "show", "default"))
            keep(rack, "renewed", 10)
            self.assertEqual(packet_sockets(rack), 0)
            self.assertTrue(rack.kubelet_started())

    def test_other_client_holds_the_port(self):
        """Without the socket the address stays for ever, as it did before; when the other client has gone, the lease is kept."""
        with Rack() as rack:
            self.short(rack, router_s=600, t1=5, t2=20)
            blocker = rack.world.popen(["python3", "-c", "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 68)); "
                                        "time.sleep(600)"], ns=rack.node_ns)
            self.boot(rack)
            self.assertTrue(any(e.phase == "keep" and e.get("code") == "lease.keep" for e in rack.events))
            self.assertEqual(valid_s(rack, "10.100.0.2"), float("inf"))
            blocker.kill()
            keep(rack, "renewed", 30)
            self.assertLessEqual(valid_s(rack, "10.100.0.2"), 120)
