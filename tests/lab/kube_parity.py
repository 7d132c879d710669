"""Parity: what kubeadm writes beside what the agent writes. A part of suite_kube, which has the cluster and the two places.

Documents come from data-kube: init/ goes through `kubeadm init phase upload-config`, edited/ and refused/ are put into the ConfigMap kubelet-config
as they stand, join/ and join-refused/ are JoinConfigurations.
"""
import base64
import glob
import os
import re
import shutil

from kube import FILES, MAC, UUID
from proc import LabError
from servers import TOKEN

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data-kube")
TLS_TOKEN = "tlstok.0123456789abcdef"
PERMITTED = "permit-kubelet-args = read-only-port,allowed-unsafe-sysctls"
PATCHES = "/etc/patches"
DISCOVERY = "/etc/discovery.conf"
TIMEOUT = 30


def documents(folder):
    """(name, path) of each document of a folder of data-kube."""
    return [(os.path.basename(p)[:-5], p) for p in sorted(glob.glob(f"{DATA}/{folder}/*.yaml"))]


def read(path):
    with open(path, newline="") as f:
        return f.read()


def said(text, key):
    """The value of a document's first line `# KEY: VALUE`, or None."""
    found = re.match(rf"# {key}: (.*)", text)
    return found and found[1]


class Parity:
    def kubeadm(self, join, host="node-2"):
        self.other.run("hostname", host)
        self.other.kubeadm_join(self.world.write("kubeadm-join.yaml", join))
        return self.other.files()

    def compare(self, join, resolved=False, host="node-2"):
        """kubeadm and the agent join by the same document; the files must be equal in bytes and mode, and there must be no others."""
        for place in (self.place, self.other):
            place.forget()
            place.resolved(resolved)
        agent = self.agent(self.lab.site(self.sleeper, extra=[PERMITTED]))
        try:
            wanted = self.kubeadm(join, host)
            agent.wait_files(TIMEOUT)
            got = self.place.files()
        finally:
            agent.stop()
        self.assertEqual(sorted(got), sorted(wanted))
        for path in wanted:
            self.assertEqual(got[path], wanted[path], f"{path} is not what kubeadm writes")
        return wanted

    def each(self, folder, put):
        """Every document of the folder; with and without systemd-resolved in turn, the first one with both."""
        self.lab.publish(self.lab.join())
        for i, (name, path) in enumerate(documents(folder)):
            put(path)
            for resolved in (False, True) if i == 0 else (i % 2 == 1,):
                with self.subTest(name, resolved=resolved):
                    files = self.compare(self.lab.join(), resolved)
                    self.assertEqual(sorted(p for p in files if not p.endswith("/")), sorted(FILES))

    def show7_parity_clusters(self):
        """Nine clusters that were initialised with different KubeletConfigurations."""
        self.assertGreaterEqual(len(documents("init")), 8)
        self.addCleanup(self.control.kubelet_config, f"{DATA}/init/defaults.yaml")
        self.each("init", self.control.kubelet_config)

    def show7_parity_config_maps(self):
        """ConfigMaps that were edited by hand: comments, other order, missing keys, other spellings, unknown keys, JSON."""
        self.assertGreaterEqual(len(documents("edited")), 12)
        self.addCleanup(self.control.kubelet_config, f"{DATA}/init/defaults.yaml")
        self.each("edited", lambda path: self.control.edit_config_map("kubelet-config", "kubelet", read(path)))

    def fill(self, text):
        for word, value in (("$ENDPOINT", "10.100.0.1:6443"), ("$TOKEN", TOKEN), ("$PIN", self.control.pin), ("$TLS_TOKEN", TLS_TOKEN)):
            text = text.replace(word, value)
        return text

    def show7_parity_documents(self):
        """JoinConfigurations of workers: arguments, taints, labels, names, a second token, pins, timeouts, other places."""
        self.assertGreaterEqual(len(documents("join")), 15)
        self.control.token(TLS_TOKEN, "--usages", "authentication")
        self.addCleanup(self.control.delete_token, TLS_TOKEN)
        self.addCleanup(self.other.run, "hostname", "node-2")
        for name, path in documents("join"):
            with self.subTest(name):
                text = self.fill(read(path))
                host = said(text, "host") or "node-2"
                self.lab.publish(text, name=host)
                self.compare(text, host=host)

    def patched(self, folder):
        """The document of a worker with the patches of a folder, laid into both places."""
        for place in (self.place, self.other):
            shutil.rmtree(place.root + PATCHES, ignore_errors=True)
            shutil.copytree(folder, place.root + PATCHES)
            self.addCleanup(shutil.rmtree, place.root + PATCHES, True)
        join = f"{self.lab.join()}patches:\n  directory: {PATCHES}\n"
        self.lab.publish(join)
        return join

    def cluster_info(self):
        return self.control.get("-n", "kube-public", "configmap", "cluster-info")["data"]["kubeconfig"]

    def discovery(self, text, tls_token):
        """The document of a worker whose discovery.file is `text`, laid into both places."""
        ca = re.search(r"certificate-authority-data: (\S+)", self.cluster_info())[1]
        for place in (self.place, self.other):
            with open(place.root + DISCOVERY, "w", encoding="utf-8") as f:
                f.write(self.fill(text).replace("$CA", ca))
        head, node = self.lab.join().split("nodeRegistration:")
        join = (f"{head.split('discovery:')[0]}discovery:\n  file: {{kubeConfigPath: {DISCOVERY}}}\n"
                f"{f'  tlsBootstrapToken: {TLS_TOKEN}' if tls_token else ''}\nnodeRegistration:{node}")
        self.lab.publish(join)
        return join

    def drop_discovery(self):
        for place in (self.place, self.other):
            if os.path.exists(place.root + DISCOVERY):
                os.remove(place.root + DISCOVERY)

    def show7_parity_discovery_file(self):
        """discovery.file with and without a user, with and without tlsBootstrapToken; the cluster's own cluster-info is one of them."""
        self.control.token(TLS_TOKEN, "--usages", "authentication")
        self.addCleanup(self.control.delete_token, TLS_TOKEN)
        self.addCleanup(self.drop_discovery)
        texts = {"cluster-info": f"# tlsBootstrapToken\n{self.cluster_info()}", **{name: read(path) for name, path in documents("discovery")}}
        self.assertGreaterEqual(len(texts), 6)
        for name, text in texts.items():
            with self.subTest(name):
                with_token = text.startswith("# tlsBootstrapToken")
                files = self.compare(self.discovery(text, with_token))
                self.assertIn(TLS_TOKEN.encode(), files[FILES[0]][1])
                self.assertEqual(b"user: tls-bootstrap-token-user" in files[FILES[0]][1], with_token)

    def show7_parity_discovery_file_refused(self):
        """What is beyond the two forms, a file that is not there, and one with another cluster's CA; no file is written."""
        self.addCleanup(self.drop_discovery)
        other = base64.b64encode(read(self.lab.ca.cert).encode()).decode()
        rows = [(name, read(path), True, "discover.file", said(read(path), "refused")) for name, path in documents("discovery-refused")]
        rows += [("no credentials", read(f"{DATA}/discovery/named-without-user.yaml"), False, "discover.file", "no tlsBootstrapToken"),
                 ("another CA", read(f"{DATA}/discovery/user.yaml").replace("$CA", other), False, "discover.chain", ""),
                 ("nothing", None, True, "discover.file", f"{DISCOVERY} cannot be read")]
        for name, text, tls_token, code, words in rows:
            with self.subTest(name):
                self.discovery(text or "", tls_token)
                if text is None:
                    self.drop_discovery()
                agent = self.agent()
                e = agent.wait_error(code, "discover", TIMEOUT)
                agent.stop()
                self.assertIn(words, f"{e.get('path')} {e.get('text')}")
                self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])

    def show7_parity_patches(self):
        """Patches of kubelet's configuration: one or several, strategic and merge, maps, lists and values, in the order of their names."""
        folders = sorted(glob.glob(f"{DATA}/patches/*"))
        self.assertGreaterEqual(len(folders), 4)
        for folder in folders:
            with self.subTest(os.path.basename(folder)):
                files = self.compare(self.patched(folder))
                self.assertIn(b"maxPods: 77\n", files["/var/lib/kubelet/config.yaml"][1])

    def show7_parity_patches_refused(self):
        """What kubeadm would leave in the file in another form than a KubeletConfiguration has, and patches of type json."""
        folders = sorted(glob.glob(f"{DATA}/patches-refused/*"))
        self.assertGreaterEqual(len(folders), 8)
        for folder in folders:
            with self.subTest(os.path.basename(folder)):
                self.patched(folder)
                words = said(read(sorted(glob.glob(f"{folder}/*"))[0]), "refused")
                agent = self.agent()
                e = agent.wait_error("configure.kubelet-config", "configure", TIMEOUT)
                agent.stop()
                self.assertIn(words, e.get("text"))
                self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])

    def show7_parity_documents_refused(self):
        """What the agent cannot honour, or kubelet would exit for, is refused with its name: most at signing, the site's matters by the agent."""
        for name, path in documents("join-refused"):
            with self.subTest(name):
                text = self.fill(read(path))
                code, words = said(text, "refused").split(": ", 1)
                if code == "config.permission":
                    self.lab.publish(text)
                    e = self.agent().wait_error(code, "parse", TIMEOUT)
                    self.assertIn(f"permit-kubelet-args = {words}", e.get("text"))
                    self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])
                    continue
                with self.assertRaises(LabError) as refused:
                    self.lab.op.sign(self.lab.op.node(macs=[MAC], uuid=UUID), text)
                self.assertIn(words, str(refused.exception))

    def show7_parity_config_maps_refused(self):
        """ConfigMaps whose rendering is not certain are refused, with the position; kubelet is not started with something else."""
        self.addCleanup(self.control.kubelet_config, f"{DATA}/init/defaults.yaml")
        self.lab.publish(self.lab.join())
        for name, path in documents("refused"):
            with self.subTest(name):
                self.place.forget()
                self.control.edit_config_map("kubelet-config", "kubelet", read(path))
                agent = self.agent()
                try:
                    e = agent.wait_error("configure.kubelet-config", "configure", TIMEOUT)
                finally:
                    agent.stop()
                self.assertEqual(f"# refused at {e.get('line')}:{e.get('column')}", read(path).splitlines()[0])
                self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])

    def cluster_config(self):
        return self.control.get("-n", "kube-system", "configmap", "kubeadm-config")["data"]["ClusterConfiguration"]

    def minor(self):
        """The cluster's, of 1.minor."""
        return int(self.control.version().split(".")[1])

    def edit_cluster(self, text):
        self.control.edit_config_map("kubeadm-config", "ClusterConfiguration", text)

    def show7_parity_cluster_config_maps(self):
        """kubeadm-config edited by hand: another name, other folders and networks, the gate that keeps criSocket in kubelet's arguments."""
        old = self.cluster_config()
        self.addCleanup(self.edit_cluster, old)
        self.addCleanup(self.control.kubelet_config, f"{DATA}/init/defaults.yaml")
        self.control.edit_config_map("kubelet-config", "kubelet", read(f"{DATA}/edited/missing-keys.yaml"))
        edits = {
            "name": ("clusterName: kubernetes", "clusterName: rack-7 of \"lab\""),
            "folder": ("certificatesDir: /etc/kubernetes/pki", "certificatesDir: /srv//pki/./a"),
            "domain": ("dnsDomain: cluster.local", "dnsDomain: k8s.example"),
            "subnet": ("serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112", "serviceSubnet: 2001:db8:42:1::/112,10.96.0.0/16"),
            "gate": ("clusterName:", "featureGates: {NodeLocalCRISocket: false}\nclusterName:"),
            "no-gate": ("clusterName:", "featureGates: {NodeLocalCRISocket: true}\nclusterName:"),
        }
        self.lab.publish(self.lab.join())
        for name, (before, after) in edits.items():
            with self.subTest(name):
                self.assertIn(before, old)
                self.edit_cluster(old.replace(before, after))
                files = self.compare(self.lab.join())
                self.assertEqual(FILES[3] in files, name != "gate" or self.minor() >= 37)

    def show7_parity_versions(self):
        """A cluster of a minor that is not in the table, and one that is older than the kubelet: refused by name, nothing is written."""
        old = self.cluster_config()
        self.addCleanup(self.edit_cluster, old)
        self.lab.publish(self.lab.join())
        version = re.search(r"kubernetesVersion: (\S+)", old)[1]
        wanted = {f"v1.{self.minor() - 1}.9": "newer than the cluster"}
        wanted.update({other: "1.35 to 1.37 are supported" for other in ("v1.34.9", "v1.38.0", "v1.99.0")})
        for other, words in wanted.items():
            with self.subTest(other):
                self.place.forget()
                self.edit_cluster(old.replace(version, other))
                agent = self.agent()
                try:
                    e = agent.wait_error("configure.version", "configure", TIMEOUT)
                finally:
                    agent.stop()
                self.assertIn(words, e.get("text"))
                self.assertEqual([p for p in self.place.files() if not p.endswith("/")], [])

    def show2_node_ip_is_filled_in(self):
        """A document without node-ip: the one intended difference. All other files are equal."""
        join = self.lab.join(node_ip=None)
        self.lab.publish(join)
        wanted = self.kubeadm(join)
        self.agent().wait_files(TIMEOUT)
        got = self.place.files()
        flags = FILES[4]
        self.assertEqual(wanted.pop(flags), (0o644, b'KUBELET_KUBEADM_ARGS=""\n'))
        self.assertEqual(got.pop(flags), (0o644, b'KUBELET_KUBEADM_ARGS="--node-ip=10.100.0.2,fd00:1:2:3::3"\n'))
        self.assertEqual(got, wanted)
