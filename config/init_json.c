/*
 * init_json.c - an InitConfiguration as `kubeadm config migrate` would write it, in JSON with sorted keys.
 */
#include "config/docjson.h"
#include "config/init.h"
#include "config/join_fields.h"

static void put_words(struct buf *ret, const char *key, const struct cluster_words *words,
                      const struct span *defaults, unsigned default_count)
{
    if (words->count > 0)
        docjson_words_if(ret, key, words->item, words->count);
    else
        docjson_words_if(ret, key, defaults, default_count);
}

static void put_token(struct buf *ret, const struct init_token *token)
{
    const struct span group = SPAN_LIT("system:bootstrappers:kubeadm:default-node-token");
    const struct span usages[] = {SPAN_LIT("signing"), SPAN_LIT("authentication")};
    docjson_open(ret, NULL);
    docjson_text_if(ret, "description", token->description);
    put_words(ret, "groups", &token->groups, &group, 1);
    docjson_text_if(ret, "token", token->token);
    docjson_duration(ret, "ttl", token->ttl_ms);
    put_words(ret, "usages", &token->usages, usages, COUNT(usages));
    docjson_close(ret);
}

void init_put_json(const struct init *i, const struct join *j, struct buf *ret)
{
    /* `kubeadm config migrate` of the supported minors overwrites this one with the old form's field, which v1beta4 does not have. */
    struct join_timeouts timeouts = j->timeouts;
    timeouts.control_plane_component_health_check_ms = 0;
    docjson_open(ret, NULL);
    docjson_text(ret, "apiVersion", SPAN_LIT("kubeadm.k8s.io/v1beta4"));
    docjson_key(ret, "bootstrapTokens");
    buf_str(ret, "[");
    for (unsigned k = 0; k < i->token_count; k++)
        put_token(ret, &i->tokens[k]);
    buf_str(ret, "]");
    docjson_text_if(ret, "certificateKey", j->certificate_key);
    docjson_true_if(ret, "dryRun", j->dry_run);
    docjson_text(ret, "kind", SPAN_LIT("InitConfiguration"));
    join_put_endpoint(j, ret);
    join_put_tail(j, &timeouts, ret);
    docjson_close(ret);
}
