/*
 * flags.c - see flags.h.
 */
#include "firmware/kube/flags.h"

static const char head[] = "KUBELET_KUBEADM_ARGS=\"", node_ip[] = "--node-ip=";

/* What stands between the quotes. Words with quotes or backslashes of their own are systemd's to undo, and not of this form. */
static enum err words_of(struct span text, struct span *ret)
{
    struct span line = span_trim(text);

    if (!span_starts(line, head) || !span_ends(line, "\"") || line.n < sizeof(head))
        return ERR_FILE;
    line = span_sub(line, sizeof(head) - 1, line.n - sizeof(head));
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] < 0x20 || line.p[i] >= 0x7f || line.p[i] == '"' || line.p[i] == '\'' ||
            line.p[i] == '\\')
            return ERR_FILE;
    }
    *ret = line;
    return OK;
}

static void put_node_ip(struct buf *ret, const struct ip *ips, unsigned count)
{
    char text[IP_TEXT_MAX];

    buf_str(ret, node_ip);
    for (unsigned i = 0; i < count; i++)
        buf_fmt(ret, "%s%s", i ? "," : "", ip_text(&ips[i], text));
}

enum err flags_set_node_ip(struct span text, const struct ip *ips, unsigned count, struct buf *ret)
{
    struct span words, word;
    bool first = true, done = count == 0;

    if (words_of(text, &words) != OK)
        return ERR_FILE;
    buf_str(ret, head);
    for (; words.n > 0; first = false) {
        word = span_cut(&words, ' ');
        buf_str(ret, first ? "" : " ");
        if (count > 0 && span_starts(word, node_ip)) {
            put_node_ip(ret, ips, count);
            done = true;
        } else {
            buf_put(ret, word);
        }
    }
    if (!done) {
        buf_str(ret, first ? "" : " ");
        put_node_ip(ret, ips, count);
    }
    buf_str(ret, "\"\n");
    return ret->overflow ? ERR_LIMIT : OK;
}

enum err flags_argv(struct span text, const char *kubelet, struct buf *store,
                    const char *ret_argv[static FLAGS_ARGV_MAX], struct fault *f)
{
    const char *const fixed[] = {kubelet, "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
                                 "--kubeconfig=/etc/kubernetes/kubelet.conf",
                                 "--config=/var/lib/kubelet/config.yaml"};
    const char *argv[FLAGS_ARGV_MAX];
    struct span words, word;
    unsigned n = 0;

    if (words_of(text, &words) != OK)
        return fault_set(f, ERR_FILE, FLAGS_PATH " has not the form in which kubeadm writes it");
    for (size_t i = 0; i < COUNT(fixed); i++) {
        argv[n++] = (const char *)store->p + store->n;
        buf_str(store, fixed[i]);
        buf_u8(store, 0);
    }
    while (words.n > 0) {
        word = span_cut(&words, ' ');
        if (word.n == 0)
            continue;
        if (n == FLAGS_ARGV_MAX - 1)
            return fault_set(f, ERR_LIMIT, FLAGS_PATH " has too many arguments");
        argv[n++] = (const char *)store->p + store->n;
        buf_put(store, word);
        buf_u8(store, 0);
    }
    if (store->overflow)
        return fault_set(f, ERR_LIMIT, "kubelet's arguments are too long");
    argv[n++] = NULL;
    memcpy(ret_argv, argv, n * sizeof(argv[0]));
    return OK;
}
