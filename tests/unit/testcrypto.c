/*
 * testcrypto.c - see testcrypto.h.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/rng.h"

/* Memory that stays reachable until exit. */
static uint8_t *keep(size_t n)
{
    static struct kept {
        struct kept *next;
    } * all;
    struct kept *k = malloc(sizeof(*k) + n);

    if (k == NULL)
        abort();
    k->next = all;
    all = k;
    return (uint8_t *)(k + 1);
}

static struct span read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p;
    long n;

    if (f == NULL)
        return span_of(NULL, 0);
    if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
        abort();
    p = keep((size_t)n);
    if (fread(p, 1, (size_t)n, f) != (size_t)n)
        abort();
    fclose(f);
    return span_of(p, (size_t)n);
}

unsigned testcrypto_pem(struct span pem, unsigned max, struct span *ret_ders)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    unsigned n = 0;

    for (;;) {
        struct span text = span_sub(pem, span_find_str(pem, begin), pem.n);
        struct buf der = {.p = keep(text.n), .cap = text.n};

        if (text.n == 0)
            return n;
        text = span_sub(text, sizeof(begin) - 1, text.n);
        pem = span_sub(text, span_find_str(text, end), text.n);
        text.n -= pem.n;
        if (n == max || text_b64(span_trim(text), true, &der) != OK)
            fail_msg("bad PEM in a test");
        ret_ders[n++] = buf_span(&der);
    }
}

void testcrypto_start(size_t size)
{
    static _Alignas(16) uint8_t heap[1 << 20];
    uint8_t noise[64];

    if (size > sizeof(heap) || getrandom(noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
        abort();
    rng_init();
    if (rng_add(span_of(noise, sizeof(noise)), 512) != OK || crypto_start(heap, size) != OK) {
        fprintf(stderr, "crypto does not start\n");
        exit(1);
    }
}

struct span testcrypto_corpus(const char *name)
{
    const char *base = getenv("JOINBOOT_CORPORA");
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", base != NULL ? base : "../shared/corpora", name);
    return read_file(path);
}

struct span testcrypto_file(const char *path)
{
    struct span s = read_file(path);

    if (s.p == NULL)
        fail_msg("cannot read %s", path);
    return s;
}

struct span testcrypto_hex(const char *hex)
{
    static uint8_t store[8][512];
    static unsigned next;
    uint8_t *p = store[next++ % 8];
    size_t n = strlen(hex) / 2;

    if (n > sizeof(store[0]) || text_hex(span_str(hex), p, n) != OK)
        fail_msg("bad hex in a test: %s", hex);
    return span_of(p, n);
}

void testcrypto_sh(const char *fmt, ...)
{
    char command[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static char dir[256];

static void remove_dir(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", dir);
}

const char *testcrypto_dir(void)
{
    const char *base = getenv("TMPDIR");

    if (dir[0] == '\0') {
        snprintf(dir, sizeof(dir), "%s/joinboot-test-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(dir) == NULL)
            abort();
        atexit(remove_dir);
    }
    return dir;
}
