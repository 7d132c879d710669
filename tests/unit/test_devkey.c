/*
 * test_devkey.c - the device key: made once, read back, named when damaged; its file on Linux, and the area of an image.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/devkey.h"
#include "boards/linux/files.h"
#include "firmware/agent/device.h"
#include "firmware/base/text.h"

static char state_path[300], key_path[310], site_path[300], image_path[300];
static struct devkey image;
static unsigned writes;

static enum err op_read(void *ctx, uint8_t ret[BOARD_KEY_SIZE])
{
    return devkey_read(&image, ctx, ret);
}

static enum err op_write(void *ctx, const uint8_t area[BOARD_KEY_SIZE])
{
    writes++;
    return devkey_write(ctx, area);
}

static struct board board_with(char *state)
{
    return (struct board){.ctx = state, .key_read = op_read, .key_write = op_write};
}

static void put_file(const char *path, const void *p, size_t n)
{
    struct fault f;

    assert_int_equal(files_write(path, 0600, span_of(p, n), &f), OK);
}

static int setup(void **state)
{
    const char *dir = testcrypto_dir();

    (void)state;
    snprintf(state_path, sizeof(state_path), "%s/new/state", dir);
    snprintf(key_path, sizeof(key_path), "%s.key", state_path);
    snprintf(site_path, sizeof(site_path), "%s/site.conf", dir);
    snprintf(image_path, sizeof(image_path), "%s/device.key", dir);
    (void)unlink(key_path);
    (void)unlink(image_path);
    writes = 0;
    devkey_load(&image, site_path);
    return image.image == DEVKEY_ABSENT ? 0 : 1;
}

static void test_made_once(void **unused)
{
    struct board b = board_with(state_path);
    struct device first, again;
    struct jose_secret secret;
    struct stat st;

    (void)unused;
    assert_int_equal(device_secret(&b, &secret), ERR_DEVICE_NONE);
    assert_int_equal(device_start(&b, &first), OK);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, BOARD_KEY_SIZE);
    assert_int_equal(device_start(&b, &again), OK);
    assert_memory_equal(&first.key, &again.key, sizeof(first.key));
    assert_int_equal(writes, 1);
    assert_int_equal(device_secret(&b, &secret), OK);
    assert_memory_equal(&secret.pub, &first.key, sizeof(first.key));
}

/* Too short, too long, empty, one bit: named, and the file stays as it is. */
static void test_damaged(void **unused)
{
    static const size_t sizes[] = {0, 1, BOARD_KEY_SIZE - 1, BOARD_KEY_SIZE + 1, BOARD_KEY_SIZE};
    struct board b = board_with(state_path);
    uint8_t area[BOARD_KEY_SIZE + 1] = {0}, now[BOARD_KEY_SIZE + 1];
    struct device d;
    size_t n;

    (void)unused;
    assert_int_equal(device_start(&b, &d), OK);
    assert_int_equal(files_read(key_path, area, sizeof(area), &n), OK);
    area[7] ^= 0x10;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        put_file(key_path, area, sizes[i]);
        assert_int_equal(device_start(&b, &d), ERR_DEVICE_KEY);
        assert_false(d.has_key);
        assert_int_equal(d.why, ERR_DEVICE_KEY);
        assert_int_equal(files_read(key_path, now, sizeof(now), &n), OK);
        assert_int_equal(n, sizes[i]);
        assert_memory_equal(now, area, n);
    }
    assert_int_equal(writes, 1);
}

/* What cannot be kept is not used, and what cannot be read is not made anew. */
static void test_no_place(void **unused)
{
    struct board b = board_with(NULL), bare = {0};
    struct device d;
    unsigned before;

    (void)unused;
    assert_int_equal(device_start(&b, &d), ERR_DEVICE_NONE);
    assert_false(d.has_key);
    assert_int_equal(device_start(&bare, &d), ERR_DEVICE_NONE);
    assert_int_equal(files_make_parents(key_path), true);
    assert_int_equal(mkdir(key_path, 0700), 0);
    b = board_with(state_path);
    before = writes;
    assert_int_equal(device_start(&b, &d), ERR_STORE_IO);
    assert_int_equal(writes, before);
    assert_int_equal(rmdir(key_path), 0);
}

static void test_image(void **unused)
{
    struct board b = board_with(state_path);
    uint8_t area[BOARD_KEY_SIZE];
    struct jose_secret key;
    struct device d;

    (void)unused;
    assert_int_equal(device_start(&b, &d), OK); /* one on the disk, too */
    assert_int_equal(jose_generate(&key), OK);
    assert_int_equal(enrol_area_put(key.d, area), OK);
    put_file(image_path, area, sizeof(area));
    devkey_load(&image, site_path);
    assert_int_equal(unlink(image_path), 0); /* the initramfs is gone */
    assert_int_equal(device_start(&b, &d), OK);
    assert_memory_equal(&d.key, &key.pub, sizeof(key.pub));
    area[40] ^= 1;
    put_file(image_path, area, sizeof(area));
    devkey_load(&image, site_path);
    assert_int_equal(device_start(&b, &d), ERR_DEVICE_KEY);
    put_file(image_path, area, 10);
    devkey_load(&image, site_path);
    assert_int_equal(device_start(&b, &d), ERR_DEVICE_KEY);
    assert_int_equal(writes, 1);
}

static void test_enrolment(void **unused)
{
    struct board b = board_with(state_path);
    struct machine m = {.mac_count = 1, .macs = {{2, 0, 0, 0, 0, 1}}};
    uint8_t text[ENROL_RECORD_MAX], secret[64];
    struct buf out = BUF_OF(text), d64 = BUF_OF(secret);
    struct jose_secret key;
    struct device d = {0};

    (void)unused;
    assert_int_equal(device_enrolment(&d, &m, &out), OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(device_start(&b, &d), OK);
    assert_int_equal(device_enrolment(&d, &m, &out), OK);
    assert_int_equal(text[out.n - 1], '\n');
    assert_int_equal(span_find(buf_span(&out), '\n'), out.n - 1);
    assert_int_equal(device_secret(&b, &key), OK);
    text_b64url_put(&d64, span_of(key.d, 32));
    buf_u8(&d64, 0);
    assert_int_equal(span_find_str(buf_span(&out), (char *)secret), out.n);
}

static int start(void **state)
{
    (void)state;
    testcrypto_start(64 * 1024);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_made_once, setup), cmocka_unit_test_setup(test_damaged, setup),
        cmocka_unit_test_setup(test_no_place, setup),  cmocka_unit_test_setup(test_image, setup),
        cmocka_unit_test_setup(test_enrolment, setup),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
