/*
 * scenario_torture.c - the n-th allocation of a boot fails, on boards/sim: the node does not crash, says what it felt by name, and the same boot
 * still joins.
 *
 * The linker leads every call of an allocator through this file (scenario_torture.mk). A node is a fork of this process, so it finds the pool and
 * the n that are tested; what it counts lies in memory that both share. A pool with many allocations is tested at every k-th n, and at every n
 * when the environment has TORTURE=full; the output says which.
 */
#include "tests/scenario/scenario.h"

#include <lwip/memp.h>
#include <lwip/pbuf.h>
#include <netif/ppp/ppp_opts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "config/yaml_heap.h"
#include "firmware/base/arena.h"
#include "firmware/crypto/heap.h"
#include "tests/scenario/bridge.h"

enum {
    POOL_YAML,
    POOL_ARENA,
    POOL_CRYPTO,
    POOL_LWIP_HEAP,
    POOL_PBUF,
    POOL_MEMP, /* the first of lwIP's own pools */
    POOLS = POOL_MEMP + MEMP_MAX
};

enum { TESTS_PER_POOL = 70, CODES_MAX = 64, JOINED_MS = 300 * 1000, SETTLE_MS = 2000 };

static const char *const names[POOLS] = {
    "libyaml's heap", "the agent's arena", "mbedTLS' heap", "mem_malloc", "pbuf_alloc",
#define LWIP_MEMPOOL(name, num, size, desc) "memp " #name,
#include <lwip/priv/memp_std.h>
};

static const unsigned sizes[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, num, size, desc) num,
#include <lwip/priv/memp_std.h>
};

/* What a node tells. */
static struct told {
    unsigned calls[POOLS];
    unsigned failed;
    size_t crypto_used;
    int live[MEMP_MAX], peak[MEMP_MAX];
} * told;

/* What a node is to suffer. */
static unsigned fail_pool, fail_at;
static unsigned opened_before; /* connections of earlier boots */

/* Codes of the errors on the console, and how often each was there. */
static struct {
    char name[48];
    unsigned count;
} codes[CODES_MAX];

/* Counts a call; true if it is the one that fails. */
static bool hit(unsigned pool)
{
    if (!told || ++told->calls[pool] != fail_at || pool != fail_pool)
        return false;
    told->failed++;
    return true;
}

void *__real_yaml_heap_malloc(size_t n);
void *__wrap_yaml_heap_malloc(size_t n);
void *__real_yaml_heap_realloc(void *p, size_t n);
void *__wrap_yaml_heap_realloc(void *p, size_t n);
char *__real_yaml_heap_strdup(const char *s);
char *__wrap_yaml_heap_strdup(const char *s);
void *__real_arena_take(struct arena *a, size_t n);
void *__wrap_arena_take(struct arena *a, size_t n);
enum err __real_arena_copy(struct arena *a, struct span s, struct span *ret);
enum err __wrap_arena_copy(struct arena *a, struct span s, struct span *ret);
void *__real_heap_take(size_t n);
void *__wrap_heap_take(size_t n);
void __real_heap_give(void *p);
void __wrap_heap_give(void *p);
void *__real_memp_malloc(memp_t type);
void *__wrap_memp_malloc(memp_t type);
void __real_memp_free(memp_t type, void *p);
void __wrap_memp_free(memp_t type, void *p);
void *__real_mem_malloc(mem_size_t n);
void *__wrap_mem_malloc(mem_size_t n);
struct pbuf *__real_pbuf_alloc(pbuf_layer layer, u16_t n, pbuf_type type);
struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t n, pbuf_type type);

void *__wrap_yaml_heap_malloc(size_t n)
{
    if (hit(POOL_YAML))
        yaml_heap_fail_at(1);
    return __real_yaml_heap_malloc(n);
}

void *__wrap_yaml_heap_realloc(void *p, size_t n)
{
    if (hit(POOL_YAML))
        yaml_heap_fail_at(1);
    return __real_yaml_heap_realloc(p, n);
}

char *__wrap_yaml_heap_strdup(const char *s)
{
    if (hit(POOL_YAML))
        yaml_heap_fail_at(1);
    return __real_yaml_heap_strdup(s);
}

void *__wrap_arena_take(struct arena *a, size_t n)
{
    void *p;

    if (hit(POOL_ARENA))
        a->fail_at = a->calls + 1;
    p = __real_arena_take(a, n);
    a->fail_at = 0;
    return p;
}

enum err __wrap_arena_copy(struct arena *a, struct span s, struct span *ret)
{
    enum err e;

    if (hit(POOL_ARENA))
        a->fail_at = a->calls + 1;
    e = __real_arena_copy(a, s, ret);
    a->fail_at = 0;
    return e;
}

void *__wrap_heap_take(size_t n)
{
    void *p;

    if (n > 0 && hit(POOL_CRYPTO))
        heap_fail_at(1);
    p = __real_heap_take(n);
    if (told)
        told->crypto_used = heap_used();
    return p;
}

void __wrap_heap_give(void *p)
{
    __real_heap_give(p);
    if (told)
        told->crypto_used = heap_used();
}

void *__wrap_memp_malloc(memp_t type)
{
    void *p = hit(POOL_MEMP + type) ? NULL : __real_memp_malloc(type);

    if (p && told && ++told->live[type] > told->peak[type])
        told->peak[type] = told->live[type];
    return p;
}

void __wrap_memp_free(memp_t type, void *p)
{
    if (p && told)
        told->live[type]--;
    __real_memp_free(type, p);
}

void *__wrap_mem_malloc(mem_size_t n)
{
    return hit(POOL_LWIP_HEAP) ? NULL : __real_mem_malloc(n);
}

struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t n, pbuf_type type)
{
    return hit(POOL_PBUF) ? NULL : __real_pbuf_alloc(layer, n, type);
}

/* Adds the console's errors to the table; every one has a name. Returns how many there were. */
static unsigned note_errors(void)
{
    static const char key[] = " error code=";
    unsigned n = 0, i;

    for (const char *at = machine.console; (at = strstr(at, key)) != NULL; n++) {
        size_t size = strcspn(at += strlen(key), " \n");

        assert_in_range(size, 3, sizeof(codes[0].name) - 1);
        assert_non_null(memchr(at, '.', size));
        assert_int_not_equal(strncmp(at, "config.", 7), 0); /* the bundle is never to blame */
        for (i = 0; i < CODES_MAX - 1 && codes[i].count; i++) {
            if (strlen(codes[i].name) == size && memcmp(codes[i].name, at, size) == 0)
                break;
        }
        snprintf(codes[i].name, sizeof(codes[i].name), "%.*s", (int)size, at);
        codes[i].count++;
    }
    return n;
}

/* One boot of a new machine, from power-on until it joined and freed what it does not need any more. */
static void boot(unsigned pool, unsigned n)
{
    sim_power_off(&machine);
    disk_init(&machine.disk);
    memset(machine.os->files, 0, sizeof(machine.os->files));
    machine.console_n = machine.mark = 0;
    machine.console[0] = 0;
    memset(told, 0, sizeof(*told));
    fail_pool = pool;
    fail_at = n;
    opened_before = bridge_opened();
    scenario_boot();
    scenario_expect(" joined done", JOINED_MS);
    scenario_run(SETTLE_MS);
}

static void prepare(void)
{
    if (!told)
        told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    scenario_os();
    scenario_servers("");
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    machine.os->kubelet_joins_ms = 100;
    machine.os->pid1 = true;
}

static void say_codes(void)
{
    for (unsigned i = 0; i < CODES_MAX && codes[i].count; i++)
        printf("  %s %u times\n", codes[i].name, codes[i].count);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What is in use that a good boot gives back. lwIP stands still since the hand-over, so the connections of the boot may still be closing. */
static unsigned count_leaks(unsigned n, const struct told *good)
{
    unsigned leaks = told->crypto_used != good->crypto_used;

    if (leaks)
        printf("  n=%u: mbedTLS' heap has %zu bytes in use, %zu behind a good boot\n", n, told->crypto_used,
               good->crypto_used);
    for (unsigned i = 0; i < MEMP_MAX; i++) {
        int most = i == MEMP_TCP_PCB ? (int)(bridge_opened() - opened_before) : good->live[i];

        if (told->live[i] <= most)
            continue;
        printf("  n=%u: %s has %d in use, expected %d at most\n", n, names[POOL_MEMP + i], told->live[i],
               most);
        leaks++;
    }
    return leaks;
}

/* Every stride-th allocation of one pool fails, each in a boot of its own. */
static void torture(unsigned pool, const struct told *good)
{
    const char *how = getenv("TORTURE");
    bool full = how && strcmp(how, "full") == 0;
    unsigned calls = good->calls[pool], tests = 0, failed = 0, felt = 0, leaks = 0;
    unsigned stride = full ? 1 : (calls + TESTS_PER_POOL - 1) / TESTS_PER_POOL;
    /* A boot does not have exactly as many allocations as the one before it: signatures and arrival differ, and frames come together or apart. */
    unsigned fewer = pool == POOL_MEMP + MEMP_PBUF_POOL ? 5 : 10;
    double begin = seconds();

    for (unsigned n = 1; n <= calls; n += stride) {
        boot(pool, n);
        tests++;
        failed += told->failed;
        felt += note_errors() > 0;
        leaks += count_leaks(n, good);
    }
    printf(
        "%s: N=%u, tested %s%u: %u boots, %u failures, %u of them named in the journal, all joined, %u leaks, %.1f s\n",
        names[pool], calls, stride > 1 ? "only every n-th with a stride of " : "every n, stride ", stride,
        tests, failed, felt, leaks, seconds() - begin);
    fflush(stdout);
    assert_true(failed <= tests && failed + tests / fewer + 1 >= tests);
    assert_int_equal(leaks, 0);
}

static void test_every_pool(void **unused)
{
    struct told good;

    (void)unused;
    prepare();
    boot(POOLS, 0);
    assert_int_equal(note_errors(), 0);
    good = *told;
    for (unsigned i = 0; i < MEMP_MAX; i++)
        assert_in_range(good.peak[i], 0, sizes[i]);
    for (unsigned pool = 0; pool < POOL_MEMP; pool++)
        assert_true(good.calls[pool] > 0);
    for (unsigned pool = 0; pool < POOLS; pool++) {
        if (pool == POOL_MEMP + MEMP_SYS_TIMEOUT)
            printf(
                "%s: N=%u, not tested: only lwIP's own timers use it, at most %d at a time, and it has room for %u\n",
                names[pool], good.calls[pool], good.peak[MEMP_SYS_TIMEOUT], sizes[MEMP_SYS_TIMEOUT]);
        else if (good.calls[pool] == 0)
            printf("%s: a boot does not use it\n", names[pool]);
        else
            torture(pool, &good);
    }
    say_codes();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_every_pool),
    };

    return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
