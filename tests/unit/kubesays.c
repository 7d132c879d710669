/*
 * kubesays.c - see kubesays.h.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>

#include "firmware/base/json.h"
#include "tests/unit/kubesays.h"

struct kubesays kubesays;

static void put_configmap(struct buf *b, const char *key, const char *text)
{
    buf_fmt(b, "{\"kind\":\"ConfigMap\",\"data\":{\"%s\":", key);
    json_put_string(b, span_str(text));
    buf_str(b, "}}");
}

static void answer(unsigned peer, unsigned n, struct span request, struct buf *ret)
{
    static uint8_t body[1 << 17];
    struct buf b = BUF_OF(body);
    static const char *const paths[] = {"/api/v1/namespaces/kube-public/configmaps/cluster-info ",
                                        "/api/v1/namespaces/kube-system/configmaps/kubelet-config ",
                                        "/api/v1/nodes/node-1 ",
                                        "/api/v1/namespaces/kube-system/configmaps/kubeadm-config "};
    unsigned which = COUNT(paths);
    char path[300];

    (void)peer;
    (void)n;
    for (unsigned i = 0; i < COUNT(paths); i++)
        which = span_find_str(request, paths[i]) < request.n ? i : which;
    if (which == COUNT(paths))
        fail_msg("%.*s", (int)request.n, (const char *)request.p);
    assert_true(span_find_str(request, "\r\nAccept: application/json\r\n") < request.n);
    assert_true((span_find_str(request, "\r\nAuthorization: Bearer " KUBESAYS_TOKEN "\r\n") < request.n) ==
                (which > 0));
    snprintf(path, sizeof(path), "%s/%s.pem", testcrypto_dir(), kubesays.ca);
    if (kubesays.status[which] != 200)
        buf_str(&b, "{\"kind\":\"Status\",\"message\":\"no such thing\"}");
    else if (which == 0)
        kubepeer_cluster_info(&b, kubesays.token, kubesays.server, testcrypto_file(path));
    else if (which == 2)
        buf_str(&b, kubesays.node);
    else
        put_configmap(&b, which == 1 ? "kubelet" : "ClusterConfiguration",
                      which == 1 ? kubesays.kubelet : kubesays.kubeadm);
    kubepeer_http(ret, kubesays.status[which], kubesays.date, which == 0,
                  kubesays.close_each || (which == 0 && kubesays.close_info), buf_span(&b));
    if (kubesays.tail && which == 0)
        buf_str(ret, "x");
}

const struct kubepeer_script kubesays_script = {.answer = answer};
