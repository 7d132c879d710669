/*
 * test_kubeadm_cases.c - documents with the verdicts and the values of a real kubeadm ($JOINBOOT_KUBEADM_CASES, default ../shared/kubeadm).
 *
 * Nothing that kubeadm rejects may be accepted; where both accept, the values must be equal; what kubeadm accepts and we refuse must be
 * refused by a rule of tests/corpus-lists/stricter.txt, and by the very rule that stands there if the document is listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/bundle.h"
#include "firmware/base/json.h"
#include "firmware/base/limits.h"

enum { FILE_MAX = 1 << 20 };

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static _Alignas(16) uint8_t more_memory[LIMIT_ARENA];
static char list_text[64 * 1024];

struct counts {
    unsigned both_accept, both_refuse, stricter, unlisted, wrong;
};

static struct span read_file(const char *path, char *ret, size_t cap)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return (struct span){NULL, 0};
    size_t n = fread(ret, 1, cap - 1, file);
    (void)fclose(file);
    ret[n] = 0;
    return span_of(ret, n);
}

static const char *folder(void)
{
    const char *set = getenv("JOINBOOT_KUBEADM_CASES");
    return set ? set : "../shared/kubeadm";
}

/* The text behind `prefix` on the line that begins with it, or an empty span. */
static struct span list_line(const char *prefix)
{
    struct span rest = span_str(list_text);
    while (rest.n > 0) {
        struct span line = span_cut(&rest, '\n');
        if (span_starts(line, prefix))
            return span_trim(span_sub(line, strlen(prefix), line.n));
    }
    return (struct span){NULL, 0};
}

/* The rule's name behind `tag` in a text, or "" if there is none. */
static const char *rule_name(const char *text, const char *tag)
{
    static char name[64];
    const char *at = text ? strstr(text, tag) : NULL;
    size_t n = 0;
    for (at = at ? at + strlen(tag) : "";
         n + 1 < sizeof(name) && (*at == '-' || (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z'));
         at++)
        name[n++] = *at;
    name[n] = 0;
    return name;
}

static enum err read_document(struct span text, struct bundle *ret, struct fault *f)
{
    static struct arena arena;
    struct yaml_stream stream;
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(f);
    enum err e = yaml_parse(text, &arena, &stream, f);
    if (e == OK)
        e = bundle_kubeadm(&stream, 0, &arena, ret, f);
    /* kubeadm asks for the file where it validates; here joinctl does that. */
    if (e == OK && span_is(ret->join.kubeconfig_path, "/nonexistent"))
        e = fault_set(f, ERR_CONFIG_FIELD, "not there");
    return e;
}

static bool same(const struct yaml_node *want, const struct yaml_node *got)
{
    if (want->type != got->type)
        return false;
    if (want->type == YAML_SCALAR)
        return span_eq(want->value, got->value) && yaml_is_null(want) == yaml_is_null(got);
    unsigned wanted = 0, found = 0;
    const struct yaml_node *item = got->child;
    for (const struct yaml_node *w = want->child; w; w = w->next, wanted++) {
        char key[128] = "";
        const struct yaml_node *g = item;
        if (want->type == YAML_MAP)
            g = span_to_cstr(w->key, key, sizeof(key)) == OK ? yaml_get(got, key) : NULL;
        else if (item)
            item = item->next;
        if (!g || !same(w, g))
            return false;
    }
    for (const struct yaml_node *g = got->child; g; g = g->next)
        found++;
    return wanted == found;
}

/* kubeadm's own host name and address stand in its output where the document has none. */
static void drop(struct yaml_node *doc, const char *map, const char *field)
{
    struct yaml_node *m = doc->child;
    while (m && !span_is(m->key, map))
        m = m->next;
    if (!m)
        return;
    for (struct yaml_node **link = &m->child; *link; link = &(*link)->next) {
        if (span_is((*link)->key, field)) {
            *link = (*link)->next;
            return;
        }
    }
}

static bool values_equal(const struct bundle *b, struct span migrated)
{
    static char json[LIMIT_YAML];
    static struct arena arena;
    struct yaml_stream want, got;
    struct fault f;
    struct buf out = BUF_OF(json);
    bundle_put_json(b, &out);
    arena_init(&arena, more_memory, sizeof(more_memory));
    fault_clear(&f);
    if (out.overflow || yaml_parse(migrated, &arena, &want, &f) != OK ||
        yaml_parse(buf_span(&out), &arena, &got, &f) != OK || got.count != 1)
        return false;
    struct yaml_node *ours = got.docs[0]->child;
    bool equal = true;
    for (unsigned i = 0; i < want.count && equal; i++, ours = ours->next) {
        if (b->join.name.n == 0)
            drop(want.docs[i], "nodeRegistration", "name");
        equal = ours && same(want.docs[i], ours);
    }
    if (equal && !ours)
        return true;
    print_message("kubeadm:\n%.*s\nwe:\n%.*s\n", (int)migrated.n, (const char *)migrated.p, (int)out.n, json);
    return false;
}

/* A refusal of what kubeadm accepts: is it explained? */
static void explain(const char *set, const char *doc, const struct fault *f, struct counts *c)
{
    char key[512];
    const char *rule = rule_name(f->text, "[stricter: ");
    (void)snprintf(key, sizeof(key), "rule %s: ", rule);
    if (rule[0] == 0 || list_line(key).n == 0) {
        print_message("UNEXPLAINED %s/%s: %s %s\n", set, doc, err_name(f->code), f->text);
        c->wrong++;
        return;
    }
    (void)snprintf(key, sizeof(key), "doc %s/%s: ", set, doc);
    struct span listed = list_line(key);
    c->stricter++;
    if (listed.n == 0) {
        print_message("not listed: %s/%s: %s\n", set, doc, rule);
        c->unlisted++;
    } else if (!span_is(listed, rule)) {
        print_message("LISTED OTHERWISE %s/%s: %s\n", set, doc, rule);
        c->wrong++;
    }
}

static void one_case(const char *set, const char *doc, bool accepted, struct span migrated, struct counts *c)
{
    static char text[FILE_MAX];
    static struct bundle b;
    char path[512];
    struct fault f;
    (void)snprintf(path, sizeof(path), "%s/%s/docs/%s", folder(), set, doc);
    struct span s = read_file(path, text, sizeof(text));
    if (!s.p)
        fail_msg("%s is missing", path);
    enum err e = read_document(s, &b, &f);
    if (e != OK && accepted) {
        explain(set, doc, &f, c);
    } else if (e != OK) {
        c->both_refuse++;
    } else if (!accepted) {
        print_message("WRONGLY ACCEPTED %s/%s\n", set, doc);
        c->wrong++;
    } else if (migrated.n > 0 && !values_equal(&b, migrated)) {
        print_message("OTHER VALUES %s/%s\n", set, doc);
        c->wrong++;
    } else {
        c->both_accept++;
    }
}

/* Reads one object {"doc": .., "validate": .., "migrated": ..}; false at the end of the array. */
static bool next_verdict(struct json *j, char *ret_doc, size_t doc_cap, bool *ret_accepted,
                         struct buf *ret_migrated)
{
    if (json_next(j) != JSON_OBJECT)
        return false;
    ret_migrated->n = 0;
    while (json_next(j) == JSON_KEY) {
        struct span key = j->raw;
        enum json_event ev = json_next(j);
        assert_int_not_equal(ev, JSON_ERROR);
        if (span_is(key, "doc"))
            assert_int_equal(span_to_cstr(j->raw, ret_doc, doc_cap), OK);
        else if (span_is(key, "validate"))
            *ret_accepted = span_is(j->raw, "ACCEPT");
        else if (span_is(key, "migrated"))
            assert_int_equal(json_unescape(j->raw, ret_migrated), OK);
    }
    return true;
}

static void run_set(const char *set)
{
    static char verdicts[4 * FILE_MAX], migrated[FILE_MAX];
    char path[512], doc[256] = "";
    (void)snprintf(path, sizeof(path), "%s/%s/verdicts.json", folder(), set);
    struct span text = read_file(path, verdicts, sizeof(verdicts));
    if (!text.p) {
        print_message("%s is not there\n", path);
        skip();
    }
    struct counts c = {0};
    struct json j;
    bool accepted = false;
    struct buf b = BUF_OF(migrated);
    json_init(&j, text);
    assert_int_equal(json_next(&j), JSON_ARRAY);
    while (next_verdict(&j, doc, sizeof(doc), &accepted, &b))
        one_case(set, doc, accepted, buf_span(&b), &c);
    assert_int_equal(json_error(&j), OK);
    print_message("%s: both accept %u, both refuse %u, stricter %u (%u not listed), wrong %u\n", set,
                  c.both_accept, c.both_refuse, c.stricter, c.unlisted, c.wrong);
    assert_true(c.both_accept + c.both_refuse > 0);
    assert_int_equal(c.wrong, 0);
}

static void show5_validation_cases(void **state)
{
    (void)state;
    run_set("validation-cases");
}

static void show5_yaml_cases(void **state)
{
    (void)state;
    run_set("yaml-cases");
}

#define API     "apiVersion: kubeadm.k8s.io/v1beta4\n"
#define CLUSTER API "kind: ClusterConfiguration\n"
#define VERSION "kubernetesVersion: v1.36.2\n"

/* A document of tests/corpus-lists/init-cases.txt as its first lines say. */
static void put_case(struct buf *ret, struct span kind, struct span fields)
{
    bool cluster = span_is(kind, "cluster"), init = span_is(kind, "init");
    if (cluster)
        buf_str(ret, CLUSTER);
    if (cluster && span_find_str(fields, "kubernetesVersion") == fields.n)
        buf_str(ret, VERSION);
    if (init)
        buf_str(ret, API "kind: InitConfiguration\n");
    buf_put(ret, fields);
    if (init)
        buf_str(ret, "---\n" CLUSTER VERSION);
}

/* True if it was accepted, refused, or refused by a rule, as it should be. */
static bool judge_case(struct span text, struct span verdict)
{
    static struct bundle b;
    char tag[64];
    struct fault f;
    enum err e = read_document(text, &b, &f);
    if (span_is(verdict, "accept"))
        return e == OK;
    if (span_is(verdict, "reject"))
        return e != OK;
    (void)snprintf(tag, sizeof(tag), "[stricter: %.*s]", (int)verdict.n, (const char *)verdict.p);
    return e != OK && strstr(f.text, tag);
}

/* Documents for kubeadm init with the verdicts of a real kubeadm; tests/kubeadm-mutants asks it again. */
static void show5_init_cases(void **state)
{
    (void)state;
    static char list[64 * 1024], text[16 * 1024];
    struct span rest = read_file("tests/corpus-lists/init-cases.txt", list, sizeof(list));
    unsigned count = 0, wrong = 0;
    assert_non_null(rest.p);
    for (size_t at = span_find_str(rest, "\n=== "); at < rest.n; at = span_find_str(rest, "\n=== ")) {
        rest = span_sub(rest, at + strlen("\n=== "), rest.n);
        struct span name = span_cut(&rest, '\n');
        struct span verdict = span_cut(&name, ' '), kind = span_cut(&name, ' ');
        struct buf b = BUF_OF(text);
        put_case(&b, kind, span_sub(rest, 0, span_find_str(rest, "\n=== ") + 1));
        count++;
        if (b.overflow || judge_case(buf_span(&b), verdict))
            continue;
        print_message("NOT %.*s: %.*s\n", (int)verdict.n, (const char *)verdict.p, (int)name.n,
                      (const char *)name.p);
        wrong++;
    }
    print_message("init-cases: %u documents, wrong %u\n", count, wrong);
    assert_true(count > 100);
    assert_int_equal(wrong, 0);
}

/* Every rule that a source file names is in the list with a reason. */
static void every_rule_is_listed(void **state)
{
    (void)state;
    static const char *const files[] = {
        "bundle_select",   "cluster",     "cluster_check", "cluster_etcd", "cluster_lists",
        "cluster_network", "init",        "join",          "join_check",   "join_fields",
        "join_node",       "join_shared", "yaml",          "yaml_scan",    "yaml_value",
    };
    static const char tag[] = "STRICTER(\"";
    static char text[FILE_MAX];
    unsigned rules = 0;
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[128], key[128];
        (void)snprintf(path, sizeof(path), "config/%s.c", files[i]);
        struct span s = read_file(path, text, sizeof(text));
        assert_non_null(s.p);
        for (const char *at = strstr(text, tag); at; at = strstr(at + 1, tag), rules++) {
            const char *rule = rule_name(at, tag);
            (void)snprintf(key, sizeof(key), "rule %s: ", rule);
            if (list_line(key).n == 0)
                fail_msg("%s: rule %s is not in stricter.txt", path, rule);
        }
    }
    assert_true(rules > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_listed),
        cmocka_unit_test(show5_validation_cases),
        cmocka_unit_test(show5_yaml_cases),
        cmocka_unit_test(show5_init_cases),
    };
    if (!read_file("tests/corpus-lists/stricter.txt", list_text, sizeof(list_text)).p) {
        (void)fputs("run this from the repository's root\n", stderr);
        return 1;
    }
    return cmocka_run_group_tests_name("kubeadm_cases", tests, NULL, NULL);
}
