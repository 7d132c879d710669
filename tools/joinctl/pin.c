/*
 * pin.c - `pin`: the SHA-256 of a certificate's SubjectPublicKeyInfo, as kubeadm's caCertHashes has it.
 */
#include "firmware/base/text.h"
#include "tools/joinctl/tool.h"

enum { CA_FILE_MAX = 256 * 1024 };

static enum err print_pin(struct span der)
{
    uint8_t hash[HASH_SIZE];
    char text[2 * HASH_SIZE];
    struct buf b = BUF_OF(text);
    enum err e = x509_spki_sha256(der, hash);
    if (e != OK)
        return e;
    text_hex_put(&b, span_of(hash, sizeof(hash)));
    (void)printf("sha256:%.*s\n", (int)b.n, text);
    return OK;
}

int pin_run(struct tool *t)
{
    struct span text;
    struct x509_roots roots = {.count = 0};
    if (!tool_read(t, t->file[0], CA_FILE_MAX, &text))
        return TOOL_USAGE;
    struct buf ders = {.p = arena_take(&t->arena, text.n), .cap = text.n};
    bool pem = span_find_str(text, "-----BEGIN CERTIFICATE-----") < text.n;
    enum err e = text.n > CA_FILE_MAX ? ERR_LIMIT
                 : !ders.p            ? ERR_NOMEM
                 : pem                ? x509_roots_add_pem(&roots, text, &ders)
                                      : x509_roots_add_der(&roots, text);
    for (unsigned i = 0; e == OK && i < roots.count; i++)
        e = print_pin(roots.ders[i]);
    if (e != OK) {
        (void)fault_set(&t->fault, e, "not the certificate of a CA, in PEM or DER");
        return tool_refuse(t, t->file[0], e);
    }
    return tool_end();
}
