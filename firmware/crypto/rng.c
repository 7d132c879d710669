/*
 * rng.c - see rng.h. Noise -> health tests -> pool (SHA-256 chain) -> HMAC_DRBG with SHA-256.
 *
 * Invariant: K and V are only ever set from a pool that had 256 credited bits when the DRBG was first instantiated; everything that arrives
 * later is mixed into the pool and reseeds the DRBG, so that it can only add.
 */
#include "firmware/crypto/rng.h"

#include "firmware/crypto/hash.h"

enum { WANTED_BITS = 256, WINDOW = 512, REQUEST_MAX = 1 << 16 };

/* Cutoffs of the two health tests for noise of at least `eighths`/8 bits of min-entropy per byte and a false alarm in 2^30: repetition
 * 1 + ceil(30/H), proportion 1 + critbinom(512, 2^-H, 1 - 2^-30) (SP 800-90B sections 4.4.1 and 4.4.2). */
struct cutoff {
    uint32_t eighths;
    uint16_t repetition;
    uint16_t proportion;
};
static const struct cutoff cutoffs[] = {
    {64, 5, 16}, {32, 9, 71}, {16, 16, 190}, {8, 31, 325}, {4, 61, 422}, {2, 121, 477}, {0, 241, 502},
};

static struct {
    uint8_t pool[HASH_SIZE];
    uint8_t k[HASH_SIZE];
    uint8_t v[HASH_SIZE];
    uint32_t credited;
    bool ready;
    /* Health tests run over all noise ever added, across calls. */
    bool seen;
    uint8_t last;
    uint32_t run;
    uint8_t first;
    uint32_t in_window;
    uint32_t same;
} rng;

void rng_init(void)
{
    wipe(&rng, sizeof(rng));
}

static enum err absorb(struct span data)
{
    const struct span parts[] = {SPAN_LIT("joinboot rng"), span_of(rng.pool, sizeof(rng.pool)), data};

    return hash_sha256_parts(parts, COUNT(parts), rng.pool);
}

/* HMAC_DRBG_Update, SP 800-90A section 10.1.2.2. */
static enum err update(struct span data)
{
    static const uint8_t round[2] = {0, 1};
    struct span v = span_of(rng.v, sizeof(rng.v)), k = span_of(rng.k, sizeof(rng.k));
    enum err e = OK;

    for (unsigned i = 0; i < (data.n == 0 ? 1u : 2u) && e == OK; i++) {
        const struct span parts[] = {v, span_of(&round[i], 1), data};

        e = hash_hmac_sha256_parts(k, parts, COUNT(parts), rng.k);
        if (e == OK)
            e = hash_hmac_sha256(k, v, rng.v);
    }
    return e;
}

static enum err reseed(void)
{
    enum err e = update(span_of(rng.pool, sizeof(rng.pool)));

    if (e == OK)
        e = absorb(SPAN_LIT("used")); /* the pool no longer shows what seeded the DRBG */
    return e;
}

/* One byte through both tests; false if one of them fails. */
static bool healthy(uint8_t b, const struct cutoff *c)
{
    bool ok = true;

    rng.run = rng.seen && b == rng.last ? rng.run + 1 : 1;
    rng.seen = true;
    rng.last = b;
    if (rng.run >= c->repetition)
        ok = false;
    if (rng.in_window == 0) {
        rng.first = b;
        rng.same = 0;
    }
    if (b == rng.first && ++rng.same >= c->proportion)
        ok = false;
    rng.in_window = (rng.in_window + 1) % WINDOW;
    return ok;
}

enum err rng_add(struct span noise, uint32_t claimed_bits)
{
    const struct cutoff *c = cutoffs;
    uint64_t per_byte;
    bool ok = true;
    enum err e;

    if (noise.n == 0)
        return OK;
    if (claimed_bits > 8 * (uint64_t)noise.n)
        claimed_bits = (uint32_t)(8 * noise.n); /* a byte cannot hold more */
    per_byte = (uint64_t)claimed_bits * 8 / noise.n;
    while (per_byte < c->eighths)
        c++;
    for (size_t i = 0; i < noise.n; i++)
        ok = healthy(noise.p[i], c) && ok;
    e = absorb(noise);
    if (e == OK && ok && !rng.ready) {
        rng.credited += claimed_bits < WANTED_BITS ? claimed_bits : WANTED_BITS;
        if (rng.credited >= WANTED_BITS) {
            memset(rng.k, 0, sizeof(rng.k));
            memset(rng.v, 1, sizeof(rng.v));
            rng.ready = true;
        }
    }
    if (e == OK && rng.ready)
        e = reseed();
    if (e != OK)
        rng_init(); /* hashing does not fail; were it to, nothing may be given out */
    return e != OK || !ok ? ERR_ENTROPY : OK;
}

void rng_mix(struct span data)
{
    if (absorb(data) != OK || (rng.ready && reseed() != OK))
        rng_init();
}

bool rng_ready(void)
{
    return rng.ready;
}

/* HMAC_DRBG_Generate, SP 800-90A section 10.1.2.5, for at most REQUEST_MAX bytes. */
static enum err generate(uint8_t *ret, size_t n)
{
    enum err e = OK;

    for (size_t done = 0; done < n && e == OK; done += HASH_SIZE) {
        e = hash_hmac_sha256(span_of(rng.k, sizeof(rng.k)), span_of(rng.v, sizeof(rng.v)), rng.v);
        memcpy(ret + done, rng.v, n - done < HASH_SIZE ? n - done : HASH_SIZE);
    }
    if (e == OK)
        e = update(span_of(NULL, 0));
    return e;
}

enum err rng_bytes(uint8_t *ret, size_t n)
{
    enum err e = rng.ready ? OK : ERR_ENTROPY;

    for (size_t done = 0; done < n && e == OK; done += REQUEST_MAX)
        e = generate(ret + done, n - done < REQUEST_MAX ? n - done : REQUEST_MAX);
    if (e != OK && rng.ready) {
        wipe(ret, n);
        rng_init();
    }
    return e == OK ? OK : ERR_ENTROPY;
}

uint32_t rng_u32(void)
{
    uint32_t v = 0;

    return rng_bytes((uint8_t *)&v, sizeof(v)) == OK ? v : 0;
}

enum err rng_next_seed(uint8_t ret[static RNG_SEED_SIZE])
{
    return rng_bytes(ret, RNG_SEED_SIZE);
}
