"""Things that no honest operator's tool makes: bundles with a wrong protected header that are validly signed, and frames that lead astray."""
import base64
import json
import socket
import struct
import subprocess

from proc import wait_for


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _der(tag, body):
    size = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + size + body


def _pem(jwk):
    """SEC 1 ECPrivateKey of a P-256 JWK (RFC 5915)."""
    point = b"\x04" + unb64url(jwk["x"]) + unb64url(jwk["y"])
    curve = _der(0xa0, bytes.fromhex("06082a8648ce3d030107"))
    body = _der(2, b"\x01") + _der(4, unb64url(jwk["d"])) + curve + _der(0xa1, _der(3, b"\x00" + point))
    return "-----BEGIN EC PRIVATE KEY-----\n" + base64.encodebytes(_der(0x30, body)).decode() + "-----END EC PRIVATE KEY-----\n"


def sign(key_file, signing_input, folder):
    """ES256 as r||s, made by the openssl command."""
    with open(key_file) as f:
        pem = _pem(json.load(f))
    path = f"{folder}/forge.pem"
    with open(path, "w") as f:
        f.write(pem)
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", path], input=signing_input, check=True, stdout=subprocess.PIPE).stdout
    at, out = 2, b""
    for _ in range(2):
        size = der[at + 1]
        out += int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(32, "big")
        at += 2 + size
    return out


def with_header(bundle, header, key_file, folder):
    """The same payload under another protected header (bytes), signed again by the key."""
    payload = open(bundle).read().strip().split(".")[1]
    signing_input = f"{b64url(header)}.{payload}"
    return f"{signing_input}.{b64url(sign(key_file, signing_input.encode(), folder))}".encode()


def header_of(bundle):
    return unb64url(open(bundle).read().split(".")[0])


def _raw(mac):
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)


def _icmp6(address, mac, body):
    """A message to all nodes, whose checksum is filled in."""
    src, dst = socket.inet_pton(socket.AF_INET6, address), socket.inet_pton(socket.AF_INET6, "ff02::1")
    body = body[:2] + checksum(src + dst + struct.pack("!II", len(body), 58) + body) + body[4:]
    return bytes.fromhex("333300000001") + _raw(mac) + b"\x86\xdd" + struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + src + dst + body


def _ipv4(src, dst, mac, to_mac, protocol, body):
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(body), 1, 0, 64, protocol)
    ends = socket.inet_aton(src) + socket.inet_aton(dst)
    return _raw(to_mac) + _raw(mac) + b"\x08\x00" + head + checksum(head + b"\0\0" + ends) + ends + body


def advertisement(address, mac):
    """An Ethernet frame with a Neighbor Advertisement (RFC 4861 section 4.4) to all nodes: "this address is mine"."""
    return _icmp6(address, mac, struct.pack("!BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, address) + b"\x02\x01" + _raw(mac))


def router_advertisement(address, mac, prefix, resolver):
    """A frame with a Router Advertisement (RFC 4861 section 4.2) of high preference: a default route, a prefix for addresses and a resolver (RFC 8106)."""
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0x08, 1800, 0, 0) + b"\x01\x01" + _raw(mac)
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, prefix)
    return _icmp6(address, mac, body + struct.pack("!BBHI", 25, 3, 0, 3600) + socket.inet_pton(socket.AF_INET6, resolver))


def dhcp_offer(mac, client_mac, lease, server, xid=1):
    """A frame with a DHCPOFFER (RFC 2131) to everybody, with the server as router and resolver."""
    own = socket.inet_aton(server)
    body = struct.pack("!BBBBIHH", 2, 1, 6, 0, xid, 0, 0x8000) + bytes(4) + socket.inet_aton(lease) + bytes(8) + _raw(client_mac) + bytes(10 + 64 + 128)
    body += bytes.fromhex("63825363 350102 330400000e10 0104ffffff00") + b"\x36\x04" + own + b"\x03\x04" + own + b"\x06\x04" + own + b"\xff"
    ports = struct.pack("!HHH", 67, 68, 8 + len(body))
    to = socket.inet_aton("255.255.255.255")
    return _ipv4(server, "255.255.255.255", mac, "ff:ff:ff:ff:ff:ff", 17,
                 ports + checksum(own + to + struct.pack("!HH", 17, 8 + len(body)) + ports + b"\0\0" + body) + body)


def syn(src, dst, mac, to_mac, port):
    """A frame with a TCP segment that asks port 80 for a connection (RFC 9293)."""
    tcp = struct.pack("!HHIIHH", port, 80, 1000 * port, 0, 0x5002, 8000)
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 6, 20)
    return _ipv4(src, dst, mac, to_mac, 6, tcp + checksum(pseudo + tcp + bytes(4)) + b"\0\0") + bytes(6)


SEND = """
import os, socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((sys.argv[1], 0)); print('ready', flush=True)
while not os.path.exists(sys.argv[3]):
    time.sleep(0.002)
time.sleep(float(sys.argv[4])); s.send(bytes.fromhex(sys.argv[2]))
"""


def sender(world, ns, link, frame, trigger, delay):
    """A process that puts a frame on a link of a namespace `delay` seconds after the file `trigger` has appeared; it is ready on return."""
    world.popen(["python3", "-c", SEND, link, frame.hex(), trigger, delay], ns=ns, log="sender.log")
    wait_for("sender", lambda: "ready" in world.tail("sender.log"))


FLOOD = """
import socket, sys, time
frames = [bytes.fromhex(line) for line in open(sys.argv[2])]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind((sys.argv[1], 0)); s.setblocking(False)
end, taken = time.monotonic() + float(sys.argv[3]), 0
while time.monotonic() < end:
    for frame in frames:
        try: s.send(frame)
        except OSError: pass
    try:
        while True:
            f = s.recv(2048)
            taken += f[12:14] == b'\\x08\\x00' and f[23] == 6 and f[34:36] == b'\\x00\\x50' and f[47] & 0x12 == 0x12
    except OSError: pass
    time.sleep(0.005)
print(taken)
"""


def flood(world, ns, link, frames, seconds):
    """A process that puts these frames on a link over and over, and in the end prints how many connections a port 80 has accepted."""
    listed = world.write("flood.txt", "\n".join(frame.hex() for frame in frames))
    return world.popen(["python3", "-c", FLOOD, link, listed, seconds], ns=ns, stdout=subprocess.PIPE)


TLS_SERVER = """
import socket, ssl, sys, time
kind, cert, key, address, body = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], open(sys.argv[5], 'rb').read()
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); ctx.load_cert_chain(cert, key)
s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, 443)); s.listen(8); print('listening', flush=True)
while True:
    try:
        c = ctx.wrap_socket(s.accept()[0], server_side=True)
        c.recv(4096)
        c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body))
        if kind == 'truncated':
            c.sendall(body[:len(body) // 2])
        else:
            for i in range(len(body)):
                c.sendall(body[i:i + 1]); time.sleep(1)
        c.close()
    except OSError:
        pass
"""
