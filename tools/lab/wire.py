"""What a capture holds: its frames, and what each TCP connection carried, put together again; and whether a secret is in it in clear.

Of a file as tcpdump writes it: the classic format with microseconds or nanoseconds, Ethernet, no VLAN tags, no IP fragments.
"""
import base64
import struct

MAGIC = {0xa1b2c3d4, 0xa1b23c4d}
ETHERNET, IPV4, IPV6, TCP = 1, 0x0800, 0x86dd, 6
SYN = 2


def frames(path):
    """Each frame's bytes, in the order of the capture."""
    with open(path, "rb") as f:
        data = f.read()
    order = next((o for o in "<>" if struct.unpack(o + "I", data[:4])[0] in MAGIC), None)
    if not order or struct.unpack(order + "I", data[20:24])[0] != ETHERNET:
        raise ValueError(f"{path}: no capture of Ethernet frames")
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def tcp_of(frame):
    """(connection and direction, sequence number, flags, payload) of a frame with TCP in it, else None."""
    kind = struct.unpack(">H", frame[12:14])[0] if len(frame) >= 14 else 0
    ip = frame[14:]
    if kind == IPV4 and len(ip) >= 20 and ip[9] == TCP:
        head, end = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
        peers = ip[12:20]
    elif kind == IPV6 and len(ip) >= 40 and ip[6] == TCP:
        head, end = 40, 40 + struct.unpack(">H", ip[4:6])[0]
        peers = ip[8:40]
    else:
        return None
    tcp = ip[head:end]
    if len(tcp) < 20:
        return None
    return peers + tcp[:4], struct.unpack(">I", tcp[4:8])[0], tcp[13], tcp[(tcp[12] >> 4) * 4:]


def join(first, segments):
    """The bytes of one direction from the sequence number `first` on; a segment that was not captured leaves its place out."""
    out, reached = b"", 0
    for at, payload in sorted(((seq - first) & 0xffffffff, payload) for seq, payload in segments):
        if at + len(payload) > reached:
            out += payload[max(0, reached - at):]
            reached = at + len(payload)
    return out


def streams(path):
    """What each direction of each TCP connection carried."""
    begun = {}
    for part in filter(None, map(tcp_of, frames(path))):
        key, seq, flags, payload = part
        if flags & SYN:
            begun.setdefault(key, []).append(((seq + 1) & 0xffffffff, []))
        elif payload:
            begun.setdefault(key, [(seq, [])])[-1][1].append((seq, payload))
    return [join(first, segments) for many in begun.values() for first, segments in many]


def in_base64(data):
    """The texts by which bytes are known wherever they stand in what was encoded: without the letters that their neighbours share."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)
        text = text[(shift * 8 + 5) // 6:(shift + len(data)) * 8 // 6]
        yield text
        yield text.replace(b"+", b"-").replace(b"/", b"_")


def spellings(token):
    """The ways in which a bootstrap token would be in clear: as it is, its secret alone, and both in base64, which is how a signed bundle has it."""
    whole, secret = token.encode(), token.split(".")[1].encode()
    return {whole, secret, *in_base64(whole), *in_base64(secret)}


def holds(path, needles):
    """Those of the needles that are in a frame or in a connection."""
    everything = [*frames(path), *streams(path)]
    return sorted(n for n in needles if any(n in part for part in everything))
