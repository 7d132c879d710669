"""Certificates for the lab, made with the openssl command: a CA and leaves, good ones and ones with a fault."""
import hashlib
import os

from proc import run


class Authority:
    """A certificate authority in a folder of its own. rsa: False for P-256, True for 2048 bits, or the bits."""

    def __init__(self, folder, name, rsa=False):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.rsa = folder, 2048 if rsa is True else rsa
        self.key, self.cert = os.path.join(folder, "ca.key"), os.path.join(folder, "ca.crt")
        self._key(self.key)
        run("openssl", "req", "-x509", "-new", "-sha256", "-key", self.key, "-out", self.cert, "-days", "3650", "-subj", f"/CN={name}",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign")

    def _key(self, path):
        how = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{self.rsa}"] if self.rsa else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        run("openssl", "genpkey", "-algorithm", *how, "-out", path)

    def leaf(self, name, san, usage="serverAuth", start=None, end=None):
        """A certificate for `san` (openssl's form: DNS:x,IP:y). start and end: YYYYMMDDHHMMSSZ. Returns (certificate, key)."""
        base = os.path.join(self.folder, name)
        key, csr, crt, ext = (base + s for s in (".key", ".csr", ".crt", ".ext"))
        self._key(key)
        run("openssl", "req", "-new", "-key", key, "-out", csr, "-subj", f"/CN={name}")
        with open(ext, "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n")
            f.write((f"extendedKeyUsage={usage}\n" if usage else "") + f"subjectAltName={san}\n")
        if start or end:
            self._dated(csr, crt, ext, start, end)
        else:
            run("openssl", "x509", "-req", "-sha256", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "365",
                "-extfile", ext, "-out", crt)
        return crt, key

    def _dated(self, csr, crt, ext, start, end):
        """`openssl x509` cannot set a start date; `openssl ca` can, with a small database."""
        conf = os.path.join(self.folder, "ca.cnf")
        with open(conf, "w") as f:
            f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/db\nnew_certs_dir={self.folder}\nserial={self.folder}/db.serial\n"
                    "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        open(os.path.join(self.folder, "db"), "a").close()
        with open(os.path.join(self.folder, "db.serial"), "w") as f:
            f.write(os.urandom(8).hex().replace("0", "1", 1) + "\n")
        run("openssl", "ca", "-batch", "-config", conf, "-in", csr, "-out", crt, "-cert", self.cert, "-keyfile", self.key, "-extfile", ext,
            "-startdate", start or "20200101000000Z", "-enddate", end or "20400101000000Z", "-notext")

    def der(self):
        return run_bytes("openssl", "x509", "-in", self.cert, "-outform", "DER")

    def pin(self):
        return pin_of(self.cert)


def run_bytes(*argv, data=None):
    import subprocess
    return subprocess.run(argv, input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def pin_of(cert):
    """kubeadm's pin of a certificate's file: sha256: and the hex of SHA-256 over the SubjectPublicKeyInfo."""
    pem = run("openssl", "x509", "-in", cert, "-pubkey", "-noout", capture=True)
    spki = run_bytes("openssl", "pkey", "-pubin", "-outform", "DER", data=pem.encode())
    return "sha256:" + hashlib.sha256(spki).hexdigest()
