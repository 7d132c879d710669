"""imaging.py: `joinctl image`: new flash images, what goes into existing ones, and what does not."""
import base64
import hashlib
import json
import os
import stat
import struct
import subprocess
import zlib

from signing import SIGN, site_text

SIZE = 64 << 20
AREAS = {"code": (0, 0x100000), "site": (0x100000, 0x10000), "key": (0x110000, 0x10000), "map": (0x3FF0000, 0x10000)}


def run(run):
    run.write("agent.bin", bytes(range(256)) * 1000)
    run.write("image-device.jwk", run.joinctl("keygen", "--device", "--out", "image-device.key").out)
    run.write("image-site.conf", "# a comment, so that there is something to leave out\n" + site_text(run))
    new(run)
    putting(run)
    refused(run)
    roots(run)


def packed(image, area):
    """The body in an area, by the format's description; None if there is none."""
    at, size = AREAS[area]
    magic, n, zero, crc = struct.unpack("<4sIII", image[at:at + 16])
    if magic != b"JBP1":
        return None
    body = image[at + 16:at + 16 + n]
    assert zero == 0 and crc == zlib.crc32(image[at:at + 12] + body) and set(image[at + 16 + n:at + size]) <= {0xFF}
    return body


def mode(run, name):
    return stat.S_IMODE(os.stat(run.path(name)).st_mode)


def new(run):
    make = ["image", "--board", "ast2600-evb", "--code", "agent.bin"]
    run.expect("image: a new one", [*make, "flash.img"], 0, out=["board       ast2600-evb, 67108864 bytes", "site        none", "device key  none"])
    image = run.read("flash.img")
    code = run.read("agent.bin")
    run.case("image: exactly the flash's size, code at 0, blank but for the map",
             len(image) == SIZE and image.startswith(code) and set(image[len(code):AREAS["map"][0]]) == {0xFF})
    run.case("image: the map names board and areas", b"board ast2600-evb\n" in packed(image, "map") and b"\nsite 1048576 65536\n" in packed(image, "map"))
    run.expect("image: another new one", [*make, "again.img"], 0)
    run.case("image: the same bytes again", hashlib.sha256(image).digest() == hashlib.sha256(run.read("again.img")).digest())
    run.expect("image: all at once", [*make, "--site", "image-site.conf", "--device-key", "image-device.key", "again.img"], 0,
               out=["site        cluster ", "device key  "])


def putting(run):
    before = run.read("flash.img")
    run.expect("image: a site goes in", ["image", "--site", "image-site.conf", "flash.img"], 0, out="site        cluster ")
    image = run.read("flash.img")
    at, size = AREAS["site"]
    run.case("image: the site's bytes, and nothing else has changed",
             packed(image, "site") == run.read("image-site.conf") and image[:at] == before[:at] and image[at + size:] == before[at + size:])
    run.case("image: for its owner alone", mode(run, "flash.img") == 0o600)
    run.expect("image: a device key goes in", ["image", "--device-key", "image-device.key", "flash.img"], 0, out="device key  there")
    a = run.joinctl("image", "flash.img")
    record = next((line for line in a.out.splitlines() if line.startswith("{")), "{}")
    run.case("image: its enrolment record is that of the key", json.loads(record).get("key") == json.loads(run.read("image-device.jwk"))
             and set(json.loads(record)) == {"apiVersion", "kind", "kid", "key"}, a)
    run.write("image.record", record)
    run.expect("image: a bundle can be sealed to it", [*SIGN, "--seal-to", "image.record", "-o", "to-image.jws"], 0, out="sealed to " + json.loads(record).get("kid", "?"))
    image = run.read("flash.img")
    run.case("image: the key's bytes, and the site stays",
             packed(image, "key") == run.read("image-device.key") and packed(image, "site") == run.read("image-site.conf"))
    run.case("image: with a key it is its owner's", mode(run, "flash.img") == 0o600)
    run.expect("image: it says what is in it", ["image", "flash.img"], 0, out=["device key  there", "site        cluster "])
    short = b"\n".join(line for line in run.read("image-site.conf").split(b"\n") if line and not line.startswith(b"#")) + b"\n"
    run.write("short.conf", short)
    run.expect("image: another site replaces it", ["image", "--site", "short.conf", "flash.img"], 0)
    run.case("image: nothing of the longer one is left", packed(run.read("flash.img"), "site") == short and len(short) < len(run.read("image-site.conf")))
    slots(run, record)


def slots(run, record):
    """The key is behind the first header of which a bit is cleared; what says that it is damaged is no reason to look further."""
    key = run.read("image-device.key")
    head = struct.pack("<4sII", b"JBP1", len(key), 0)
    slot = head + struct.pack("<I", zlib.crc32(head + key)) + key

    def image(name, at, data, out):
        image = bytearray(run.read("flash.img"))
        image[0x110000:0x111000] = b"\xff" * 0x1000
        image[at:at + len(data)] = data
        if at == 0x110000:
            image[0x112000:0x112000 + len(slot)] = slot
        run.write("slots.img", bytes(image))
        run.expect(f"image: a key {name}", ["image", "slots.img"], 0, out=out)

    image("behind a slot that a power cut left", 0x110000, b"\xff" * 16 + key[:20], ["device key  there\n", record])
    image("with a torn header", 0x110000, slot[:3] + b"\xff" * 13 + key, ["device key  there\n", record])
    image("that is damaged", 0x110000, slot[:20] + bytes([slot[20] ^ 1]) + slot[21:], "device key  damaged\n")
    image("in the last slot", 0x11f000, slot, ["device key  there\n", record])
    image("nowhere", 0x120000, b"", "device key  none")


def refused(run):
    before = run.read("flash.img")
    site = run.read("image-site.conf")

    def no(name, args, err, code=1):
        run.expect(f"image refuses {name}", ["image", *args], code, err=err)
        run.case(f"image unchanged by {name}", run.read("flash.img") == before)

    no("a second device key", ["--device-key", "image-device.key", "flash.img"], "(image.key)")
    run.write("bad.conf", site + b"no such line\n")
    no("a site that no agent reads", ["--site", "bad.conf", "flash.img"], ["bad.conf:", "(site."])
    no("an empty site", ["--site", "/dev/null", "flash.img"], "(site.")
    run.write("long.conf", site + b"# " + b"x" * 20000 + b"\n")
    no("a site that is too long", ["--site", "long.conf", "flash.img"], "(image.room)")
    key = run.read("image-device.key")
    for name, bad in (("short", key[:-1]), ("long", key + b"\n"), ("torn", key[:40] + bytes(24)), ("blank", b"\xff" * 64)):
        run.write("bad.key", bad)
        no(f"a device key that is {name}", ["--device-key", "bad.key", "flash.img"], "bad.key: not a device key")
    no("code without a board", ["--code", "agent.bin", "flash.img"], "belong together", 2)
    no("a board without code", ["--board", "ast2600-evb", "flash.img"], "belong together", 2)
    no("another board", ["--board", "pdp11", "--code", "agent.bin", "flash.img"], "--board wants ast2600-evb", 2)
    no("stdin", ["-"], "an image is a file", 2)
    run.write("elf.bin", b"\x7fELF" + bytes(1000))
    no("an ELF file", ["--board", "ast2600-evb", "--code", "elf.bin", "flash.img"], "(image.code)")
    no("no code", ["--board", "ast2600-evb", "--code", "/dev/null", "flash.img"], "(image.code)")
    run.write("large.bin", bytes(0x100001))
    no("too much code", ["--board", "ast2600-evb", "--code", "large.bin", "flash.img"], "(image.room)")
    run.write("site.img", site)
    no("a file of another size", ["--site", "image-site.conf", "site.img"], ["site.img:", "(image.form)"])
    run.write("zeros.img", bytes(SIZE))
    no("somebody else's image", ["--site", "image-site.conf", "zeros.img"], "hold no map: not an image that joinctl made (image.form)")
    image = bytearray(before)
    image[AREAS["map"][0] + 40] ^= 1
    run.write("map.img", bytes(image))
    no("a damaged map", ["--site", "image-site.conf", "map.img"], "(image.form)")
    body = packed(before, "map").replace(b"map 1", b"map 2")
    head = struct.pack("<4sII", b"JBP1", len(body), 0)
    image[AREAS["map"][0]:AREAS["map"][0] + 16 + len(body)] = head + struct.pack("<I", zlib.crc32(head + body)) + body
    run.write("map.img", bytes(image))
    no("a map of another release", ["--site", "image-site.conf", "map.img"], "not the one that this joinctl knows (image.form)")
    no("an image that is not there", ["--site", "image-site.conf", "gone.img"], "gone.img: cannot be opened", 2)
    for name in ("again.img", "zeros.img", "map.img", "slots.img"):
        os.remove(run.path(name))


def roots(run):
    """An agent on a computer reads a site with three roots of RSA-4096; the board's has room for two, and a site in its area is one that it reads."""
    def openssl(*args):
        return subprocess.run(["openssl", *args], cwd=run.folder, capture_output=True, check=True).stdout

    openssl("genrsa", "-out", "rsa.key", "4096")
    ders = [openssl("req", "-x509", "-key", "rsa.key", "-subj", f"/O=An operator with a name/CN=config servers {i}", "-days", "30", "-outform", "DER") for i in range(3)]
    assert sum(map(len, ders[:2])) <= 4096 < sum(map(len, ders)), list(map(len, ders))
    site = b"".join(line + b"\n" for line in run.read("image-site.conf").splitlines() if not line.startswith(b"tls-root"))
    for n in (2, 3):
        run.write(f"rsa{n}.conf", site + b"".join(b"tls-root = " + base64.b64encode(der) + b"\n" for der in ders[:n]))
    run.expect("verify with three large roots", ["verify", "--site", "rsa3.conf", "node.jws"], 0)
    before = run.read("flash.img")
    run.expect("image refuses three large roots", ["image", "--site", "rsa3.conf", "flash.img"], 1, err=["rsa3.conf:", "4096 bytes of TLS roots", "(image.room)"])
    run.case("image unchanged by three large roots", run.read("flash.img") == before)
    run.expect("image takes two large roots", ["image", "--site", "rsa2.conf", "flash.img"], 0, out="site        cluster ")
