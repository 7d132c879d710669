"""Things that no honest operator's tool makes: bundles with a wrong protected header that are validly signed, and Neighbor Advertisements."""
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


def advertisement(address, mac):
    """An Ethernet frame with a Neighbor Advertisement (RFC 4861 section 4.4) to all nodes: "this address is mine"."""
    src = socket.inet_pton(socket.AF_INET6, address)
    dst = socket.inet_pton(socket.AF_INET6, "ff02::1")
    hw = bytes.fromhex(mac.replace(":", ""))
    body = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + src + b"\x02\x01" + hw
    pseudo = src + dst + struct.pack("!II", len(body), 58)
    total = sum(struct.unpack(f"!{(len(pseudo) + len(body)) // 2}H", pseudo + body))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
    return bytes.fromhex("333300000001") + hw + b"\x86\xdd" + struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + src + dst + body


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
