# Prints the Makefile's own comments: `##@ title` lines and `target: ... ## text` lines.
BEGIN { print "joinboot: from power-on to a Kubernetes node. usage: make <target> [NAME=value]" }
/^##@/ { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / {
    target = substr($0, 1, index($0, ":") - 1)
    text = substr($0, index($0, "## ") + 3)
    printf "  %-13s %s\n", target, text
}
