"""Failures that an operator meets with a real cluster: each has its name in the journal, and the same run of the agent joins once the operator has
mended it or published a newer bundle. Nobody touches the node. A part of suite_kube, which has the cluster and the places.
"""
import json
import time

from kube import FILES
from proc import wait_for
from servers import TOKEN

TIMEOUT = 30
NOBODY = "10.100.0.99:6443"
INFO = ("-n", "kube-public", "configmap", "cluster-info")


class Failures:
    def refused_first(self, code, phase, words=""):
        """An agent whose first error is this one, and which has written nothing; it goes on trying."""
        agent = self.agent(self.lab.site(self.standin))
        e = agent.wait_error(code, phase, TIMEOUT + 40)
        self.assertIn(words, f"{e.get('text')} {e.get('peer')}")
        self.assertFalse(agent.kubelet_started())
        self.assertNotIn(FILES[0], self.place.files())
        return agent

    def signature(self, token=TOKEN):
        return self.control.get(*INFO)["data"].get(f"jws-kubeconfig-{token.split('.')[0]}")

    def dead_token(self, code, phase, token):
        """The token is refused; then another one is made and a newer bundle published, and the same run joins."""
        agent = self.refused_first(code, phase)
        self.control.token(token)
        self.addCleanup(self.control.delete_token, token)
        self.lab.publish(self.lab.join(token=token))
        agent.wait_joined(TIMEOUT)

    def show4_dead_token(self):
        self.control.delete_token()
        self.addCleanup(self.control.token, TOKEN)
        wait_for("cluster-info without signature", lambda: not self.signature(), 20, 0.1)
        self.lab.publish(self.lab.join())
        self.dead_token("discover.jws-missing", "discover", "abcdef.0123456789abcdef")

    def show4_token_that_only_signs(self):
        """It signs cluster-info but does not authenticate, as a token in its last second."""
        token = "signer.0123456789abcdef"
        name, secret = token.split(".")
        fields = {"token-id": name, "token-secret": secret, "usage-bootstrap-signing": "true"}
        self.control.kubectl("-n", "kube-system", "create", "secret", "generic", f"bootstrap-token-{name}", "--type=bootstrap.kubernetes.io/token",
                             *(f"--from-literal={key}={value}" for key, value in fields.items()))
        self.addCleanup(self.control.delete_token, token)
        self.lab.publish(self.lab.join(token=token))
        self.dead_token("configure.unauthorized", "configure", "second.0123456789abcdef")

    def show9_expired_token(self):
        """The token's time is over: the cluster takes its signature away."""
        token = "shorty.0123456789abcdef"
        self.control.token(token, "--ttl", "3s")
        self.addCleanup(self.control.delete_token, token)
        wait_for("signature", lambda: self.signature(token), 20, 0.1)
        wait_for("end of the token", lambda: not self.signature(token), 30, 0.2)
        self.lab.publish(self.lab.join(token=token))
        self.dead_token("discover.jws-missing", "discover", "livell.0123456789abcdef")

    def show9_signature_deleted(self):
        """cluster-info has lost the token's signature; when the cluster signs again, the same bundle joins."""
        def usage(value):
            self.control.kubectl("-n", "kube-system", "patch", "secret", f"bootstrap-token-{TOKEN.split('.')[0]}", "--type", "merge", "-p",
                                 json.dumps({"stringData": {"usage-bootstrap-signing": value}}))
        self.addCleanup(lambda: (usage("true"), wait_for("signature", self.signature, 20, 0.1)))
        usage("false")
        wait_for("cluster-info without signature", lambda: not self.signature(), 20, 0.1)
        self.lab.publish(self.lab.join())
        agent = self.refused_first("discover.jws-missing", "discover")
        usage("true")
        agent.wait_joined(TIMEOUT)

    def show9_stale_ready_node(self):
        """A Ready Node of this name: refused until the operator deletes it."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}}
        self.control.kubectl("create", "-f", "-", data=json.dumps(node))
        self.addCleanup(self.control.kubectl, "delete", "node", "node-2", "--ignore-not-found")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now, "lastTransitionTime": now}
        self.control.kubectl("patch", "node", "node-2", "--subresource=status", "--type", "merge", "-p", json.dumps({"status": {"conditions": [ready]}}))
        self.lab.publish(self.lab.join())
        agent = self.refused_first("configure.node-exists", "configure", "node-2")
        self.control.kubectl("delete", "node", "node-2")
        agent.wait_joined(TIMEOUT)

    def show9_unreachable_endpoint(self):
        """Nobody answers at apiServerEndpoint: a newer bundle names another one."""
        self.lab.publish(self.lab.join(endpoint=NOBODY))
        agent = self.refused_first("discover.unreachable", "discover", "10.100.0.99")
        self.lab.publish(self.lab.join())
        agent.wait_joined(TIMEOUT + 30)

    def show9_unreachable_server(self):
        """cluster-info names a server where nobody answers: the operator corrects cluster-info."""
        self.addCleanup(self.name_host, "https://10.100.0.1:6443")
        self.name_host(f"https://{NOBODY}")
        self.lab.publish(self.lab.join())
        agent = self.refused_first("discover.unreachable", "configure", "10.100.0.99")
        self.name_host("https://10.100.0.1:6443")
        agent.wait_joined(TIMEOUT + 30)
