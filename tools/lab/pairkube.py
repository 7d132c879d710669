"""A BMC and its host, whose cluster is a real one: the host boots the node image and becomes a Ready node by what its BMC handed over."""
from nodes import Node, NodeLab, Spec
from pair import Pair


class Away(NodeLab):
    """A control plane whose network has no config server, and no name of one."""

    def config_server(self):
        return None

    def names(self):
        return {}


class KubeHost(Node):
    def alive(self):
        return self.machine and self.machine.alive()


class KubePair(Pair):
    def cluster(self):
        self.lab = Away(self.world, "pair")
        self.spec = Spec(0)
        env = self.lab.control.env
        self.notice = f"real Kubernetes {env['VERSION']} at {env['ENDPOINT']}"
        return self.lab.control.ns, self.lab.control.bridge

    def host_machine(self):
        host = KubeHost(self.lab, self.spec, out=self.out, on_line=lambda node, text: self.on_line and self.on_line("host", text))
        host.device_key, host.link = self.device_key, self.host_link
        return host

    def host_on(self):
        return self.host.power_on(site=self.host_site(["root = PARTLABEL=joinboot-root", "state = PARTLABEL=joinboot-state",
                                                       "images = /usr/share/joinboot/images", "families-wait = 20"]))

    def documents(self):
        s, control = self.spec, self.lab.control
        return ({"name": s.name, "macs": [s.mac], "uuid": s.uuid, "serial": s.serial, "network": {"ipv6": {"addresses": [f"{s.address['ipv6']}/64"]}}},
                self.op.join(control.pin, endpoint=control.env["ENDPOINT"], node_ip=",".join(s.address.values())))
