/*
 * image.c - `image`: makes the image of a board's whole flash, or puts a site configuration and a device key into one that exists.
 *
 * The last area of an image names board and map. An image whose map is not, byte for byte, one that this joinctl knows is not touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/ast2600-evb/map.h"
#include "config/enrol.h"
#include "firmware/base/packed.h"
#include "tools/joinctl/tool.h"

enum { MAP_TEXT = 1024, SECRET_MODE = 0600 }; /* also without a key: a machine may make one in it */

static uint8_t *area_of(uint8_t *image, enum map_area area)
{
    return image + map_rows[area].off;
}

static bool is_blank(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] == 0xff)
        i++;
    return i == n;
}

/* A slot of the key's area that the machine could still use. */
static bool has_room(const uint8_t *image)
{
    const uint8_t *slot = image + map_rows[MAP_KEY].off;
    const uint8_t *end = slot + map_rows[MAP_KEY].size;

    while (slot < end && !is_blank(slot, MAP_SECTOR))
        slot += MAP_SECTOR;
    return slot < end;
}

static void put_map(struct buf *ret)
{
    buf_fmt(ret, "joinboot flash map 1\nboard %s\nsize %d\n", MAP_BOARD, MAP_SIZE);
    for (unsigned i = 0; i < MAP_AREAS; i++)
        buf_fmt(ret, "%s %lu %lu\n", map_rows[i].name, (unsigned long)map_rows[i].off,
                (unsigned long)map_rows[i].size);
}

/* Replaces what is in an area. */
static void put_area(uint8_t *image, enum map_area area, struct span body)
{
    uint8_t *p = area_of(image, area);

    memset(p, 0xff, map_rows[area].size);
    packed_header(body, p);
    memcpy(p + PACKED_HEADER, body.p, body.n);
}

/* What is in an area. ERR_STORE_EMPTY, ERR_STORE_LOST. */
static enum err get_area(const uint8_t *image, enum map_area area, struct span *ret)
{
    const uint8_t *p = image + map_rows[area].off;
    uint32_t n = 0;
    enum err e = packed_length(p, map_rows[area].size, &n);

    if (e == OK)
        e = packed_check(p, span_of(p + PACKED_HEADER, n));
    if (e == OK)
        *ret = span_of(p + PACKED_HEADER, n);
    return e;
}

static int refuse(struct tool *t, const char *file, enum err e, const char *text)
{
    (void)fault_set(&t->fault, e, "%s", text);
    return tool_refuse(t, file, e);
}

/* Memory of the image's size: blank, or a private copy of the file. NULL: the error was printed. */
static uint8_t *take(struct tool *t, const char *file, bool new, int *ret_code)
{
    struct stat st;
    int fd = new ? -1 : open(file, O_RDONLY | O_CLOEXEC);
    uint8_t *image = MAP_FAILED;

    *ret_code = TOOL_USAGE;
    if (!new && (fd < 0 || fstat(fd, &st) != 0)) {
        (void)tool_io(file, "cannot be opened");
    } else if (!new && (!S_ISREG(st.st_mode) || st.st_size != MAP_SIZE)) {
        *ret_code = refuse(t, file, ERR_IMAGE_FORM, "not of the size of this board's flash, 67108864 bytes");
    } else {
        image = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, new ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE,
                     fd, 0);
        if (image == MAP_FAILED)
            (void)tool_io(file, "cannot be read");
        else if (new)
            memset(image, 0xff, MAP_SIZE);
    }
    if (fd >= 0)
        (void)close(fd);
    return image == MAP_FAILED ? NULL : image;
}

static int make_new(struct tool *t, uint8_t *image)
{
    const char *file = t->option[OPTION_CODE];
    char text[MAP_TEXT];
    struct buf map = BUF_OF(text);
    struct span code;

    if (!tool_read(t, file, map_rows[MAP_CODE].size, &code))
        return TOOL_USAGE;
    if (code.n > map_rows[MAP_CODE].size)
        return refuse(t, file, ERR_IMAGE_ROOM, "more than 1048576 bytes of code");
    /* An ELF file is what a debugger reads; a processor starts at its first byte. */
    if (code.n < 32 || memcmp(code.p, "\177ELF", 4) == 0)
        return refuse(t, file, ERR_IMAGE_CODE, "not the agent as flash holds it");
    memcpy(area_of(image, MAP_CODE), code.p, code.n);
    put_map(&map);
    put_area(image, MAP_MAP, buf_span(&map));
    return TOOL_YES;
}

static int check_map(struct tool *t, const char *file, const uint8_t *image)
{
    char text[MAP_TEXT];
    struct buf want = BUF_OF(text);
    struct span map;

    put_map(&want);
    if (get_area(image, MAP_MAP, &map) != OK)
        return refuse(t, file, ERR_IMAGE_FORM, "its last 64 KiB hold no map: not an image that joinctl made");
    if (!span_eq(map, buf_span(&want)))
        return refuse(t, file, ERR_IMAGE_FORM, "its map is not the one that this joinctl knows");
    return TOOL_YES;
}

static int put_site(struct tool *t, const char *file, uint8_t *image)
{
    struct span text;
    enum err e;

    if (!tool_read(t, file, MAP_SITE_MAX, &text))
        return TOOL_USAGE;
    if (text.n > MAP_SITE_MAX)
        return refuse(t, file, ERR_IMAGE_ROOM, "more than 16384 bytes of site configuration");
    e = site_parse(text, &t->site, &t->fault);
    if (e != OK)
        return tool_refuse(t, file, e);
    if (t->site.root_bytes_n > MAP_ROOTS_MAX)
        return refuse(t, file, ERR_IMAGE_ROOM, "more than 4096 bytes of TLS roots, as DER");
    put_area(image, MAP_SITE, text);
    return TOOL_YES;
}

/* The key that a machine with this image takes: behind the first header that is not blank (boards/ast2600-evb/flash.h). ERR_STORE_EMPTY: none. */
static enum err get_key(const uint8_t *image, struct jose_key *ret)
{
    const uint8_t *slot = image + map_rows[MAP_KEY].off;
    const uint8_t *end = slot + map_rows[MAP_KEY].size;
    struct jose_secret key;
    enum err e;

    while (slot < end && is_blank(slot, PACKED_HEADER))
        slot += MAP_SECTOR;
    if (slot == end)
        return ERR_STORE_EMPTY;
    e = enrol_area_read(slot + PACKED_HEADER, &key);
    if (e == OK)
        *ret = key.pub;
    wipe(&key, sizeof(key));
    return e;
}

static int put_key(struct tool *t, const char *file, uint8_t *image)
{
    struct jose_secret key;
    struct jose_key old;
    struct span text;
    enum err e;

    if (!tool_read(t, file, BOARD_KEY_SIZE, &text))
        return TOOL_USAGE;
    e = text.n == BOARD_KEY_SIZE ? enrol_area_read(text.p, &key) : ERR_DEVICE_KEY;
    wipe(&key, sizeof(key));
    if (e == ERR_DEVICE_KEY)
        return refuse(t, file, ERR_INPUT,
                      "not a device key: 64 bytes, of which the second half fits the first");
    if (e != OK)
        return refuse(t, file, e, "reading the device key");
    if (get_key(image, &old) != ERR_STORE_EMPTY)
        return refuse(t, t->file[0], ERR_IMAGE_KEY, "a device key is there already");
    put_area(image, MAP_KEY, text);
    return TOOL_YES;
}

/* The enrolment record of an image says no more than the key: whose it is, only the machine knows. */
static enum err describe_key(const uint8_t *image)
{
    static const struct machine unknown = {.mac_count = 0};
    uint8_t text[ENROL_RECORD_MAX];
    struct buf record = BUF_OF(text);
    struct jose_key key;
    enum err e = get_key(image, &key);

    if (e == OK)
        e = enrol_put(&record, &key, &unknown);
    if (e == OK)
        (void)printf("device key  there\n%.*s\n", (int)record.n, text);
    else if (e == ERR_STORE_EMPTY)
        (void)printf("device key  none: the machine %s\n",
                     has_room(image) ? "will make one" : "has no room left to make one");
    else if (e == ERR_DEVICE_KEY)
        (void)printf("device key  damaged\n");
    else
        return e;
    return OK;
}

static int describe(struct tool *t, const uint8_t *image)
{
    struct span text;
    enum err e = get_area(image, MAP_SITE, &text);

    (void)printf("board       %s, %d bytes\n", MAP_BOARD, MAP_SIZE);
    if (e == ERR_STORE_EMPTY)
        (void)printf("site        none: the machine will wait for one (site.missing)\n");
    else if (e != OK || site_parse(text, &t->site, &t->fault) != OK)
        (void)printf("site        damaged\n");
    else
        (void)printf("site        cluster %s, %u trusted key%s\n", t->site.cluster, t->site.key_count,
                     t->site.key_count == 1 ? "" : "s");
    e = describe_key(image);
    return e == OK ? tool_end() : refuse(t, t->file[0], e, "reading the device key");
}

static int edit(struct tool *t, uint8_t *image, bool new)
{
    const char *file = t->file[0];
    int code = new ? make_new(t, image) : check_map(t, file, image);

    if (code == TOOL_YES && t->option[OPTION_SITE])
        code = put_site(t, t->option[OPTION_SITE], image);
    if (code == TOOL_YES && t->option[OPTION_DEVICE_KEY])
        code = put_key(t, t->option[OPTION_DEVICE_KEY], image);
    if (code == TOOL_YES && (new || t->option[OPTION_SITE] || t->option[OPTION_DEVICE_KEY]))
        code = tool_replace(file, SECRET_MODE, span_of(image, MAP_SIZE));
    return code == TOOL_YES ? describe(t, image) : code;
}

int image_run(struct tool *t)
{
    const char *board = t->option[OPTION_BOARD];
    uint8_t *image;
    int code;

    if (strcmp(t->file[0], "-") == 0)
        return tool_usage(t, "an image is a file, not stdin");
    if (!board != !t->option[OPTION_CODE])
        return tool_usage(t, "--board and --code belong together: they make a new image");
    if (board && strcmp(board, MAP_BOARD) != 0)
        return tool_bad_option(t, "--board", MAP_BOARD);
    image = take(t, t->file[0], board != NULL, &code);
    if (!image)
        return code;
    code = edit(t, image, board != NULL);
    (void)munmap(image, MAP_SIZE);
    return code;
}
