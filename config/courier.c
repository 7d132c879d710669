/*
 * courier.c - see courier.h.
 */
#include "config/courier.h"

enum err courier_read(const struct verified *v, struct arena *arena, struct nodejoin *ret, bool *ret_clear,
                      struct fault *f)
{
    struct yaml_stream stream;
    enum err e = yaml_parse(verified_payload(v), arena, &stream, f);

    if (e == OK && stream.count == 0)
        e = fault_set(f, ERR_CONFIG_KIND, "the payload has no document");
    if (e == OK)
        e = nodejoin_read(stream.docs[0], ret, f);
    if (e == OK)
        *ret_clear = stream.count > 1;
    return e;
}
