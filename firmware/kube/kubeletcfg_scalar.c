/*
 * kubeletcfg_scalar.c - one scalar of a tree as a Go type: what JSON decoding accepts, in the form that marshalling gives it.
 */
#include "firmware/base/text.h"
#include "firmware/kube/kubeletcfg_put.h"
#include "firmware/kube/values.h"
#include "firmware/kube/yamlout.h"

/* A scalar that JSON would carry as a string. */
static enum err string_of(struct fault *f, const struct yaml_node *n, struct span *ret)
{
    if (n->type != YAML_SCALAR)
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "must be a string");
    if (n->plain && yamlout_resolve(n->value) != YAMLOUT_STRING)
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "must be a string; put it into quotes");
    *ret = n->value;
    return OK;
}

static enum err integer_of(struct fault *f, const struct yaml_node *n, int64_t low, uint64_t high,
                           struct kubeletcfg_value *ret)
{
    uint64_t v;
    struct span digits = n->value;
    bool negative = n->type == YAML_SCALAR && digits.n > 1 && digits.p[0] == '-' && digits.p[1] != '0';
    uint64_t most = negative ? (uint64_t)0 - (uint64_t)low : high;

    if (negative)
        digits = span_sub(digits, 1, digits.n);
    if (n->type != YAML_SCALAR || !n->plain || text_u64(digits, most, &v))
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "must be a whole number from %lld to %llu",
                          (long long)low, (unsigned long long)high);
    ret->text = n->value;
    ret->zero = v == 0;
    return OK;
}

static enum err duration_of(struct fault *f, const struct yaml_node *n, struct kubeletcfg_value *ret)
{
    struct span text;
    int64_t ns;
    struct buf b = BUF_OF(ret->store);
    enum err e = string_of(f, n, &text);

    if (e)
        return e;
    if (values_duration(text, &ns))
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "is not a duration such as 1m30s");
    values_duration_put(&b, ns);
    ret->text = buf_span(&b);
    ret->string = true;
    return OK;
}

static enum err quantity_of(struct fault *f, const struct yaml_node *n, struct kubeletcfg_value *ret)
{
    struct buf b = BUF_OF(ret->store);
    uint64_t number;

    bool whole = n->type == YAML_SCALAR && n->plain && text_u64(n->value, UINT64_MAX, &number) == OK;
    bool string = n->type == YAML_SCALAR && (!n->plain || yamlout_resolve(n->value) == YAMLOUT_STRING);
    if ((!whole && !string) || values_quantity(n->value, &b))
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "is not a quantity that can be rendered with certainty");
    ret->text = buf_span(&b);
    ret->string = true;
    return OK;
}

static enum err float_of(struct fault *f, const struct yaml_node *n, struct kubeletcfg_value *ret)
{
    struct buf b = BUF_OF(ret->store);

    if (n->type != YAML_SCALAR || !n->plain || values_float(n->value, &b))
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "is not a number that can be rendered with certainty");
    ret->text = buf_span(&b);
    return OK;
}

static enum err bool_of(struct fault *f, const struct yaml_node *n, struct kubeletcfg_value *ret)
{
    bool truth = n->type == YAML_SCALAR && n->plain && span_is(n->value, "true");

    if (!truth && !(n->type == YAML_SCALAR && n->plain && span_is(n->value, "false")))
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "must be true or false");
    ret->text = n->value;
    ret->zero = !truth;
    return OK;
}

static struct kubeletcfg_value zero_value(enum field_type type)
{
    switch (type) {
    case FIELD_STRING:
        return (struct kubeletcfg_value){.zero = true, .string = true};
    case FIELD_BOOL:
        return (struct kubeletcfg_value){.text = SPAN_LIT("false"), .zero = true};
    case FIELD_DURATION:
        return (struct kubeletcfg_value){.text = SPAN_LIT("0s"), .zero = true, .string = true};
    case FIELD_QUANTITY:
        return (struct kubeletcfg_value){.text = SPAN_LIT("0"), .zero = true, .string = true};
    default:
        return (struct kubeletcfg_value){.text = SPAN_LIT("0"), .zero = true};
    }
}

enum err kubeletcfg_scalar(struct fault *f, enum field_type type, const struct yaml_node *n,
                           struct kubeletcfg_value *ret)
{
    *ret = zero_value(type);
    if (!n || yaml_is_null(n)) {
        if (n && type == FIELD_DURATION)
            return yaml_fault(f, ERR_KUBELET_CONFIG, n, "a duration may not be null");
        return OK;
    }
    ret->zero = false;
    switch (type) {
    case FIELD_STRING: {
        enum err e = string_of(f, n, &ret->text);
        ret->zero = ret->text.n == 0;
        return e;
    }
    case FIELD_BOOL:
        return bool_of(f, n, ret);
    case FIELD_I32:
        return integer_of(f, n, INT32_MIN, INT32_MAX, ret);
    case FIELD_I64:
        return integer_of(f, n, INT64_MIN, INT64_MAX, ret);
    case FIELD_U32:
        return integer_of(f, n, 0, UINT32_MAX, ret);
    case FIELD_FLOAT:
        return float_of(f, n, ret);
    case FIELD_DURATION:
        return duration_of(f, n, ret);
    case FIELD_FLUSH:
        if (n->type == YAML_SCALAR && n->plain && yamlout_resolve(n->value) == YAMLOUT_OTHER)
            return integer_of(f, n, INT64_MIN, INT64_MAX, ret);
        return duration_of(f, n, ret);
    case FIELD_QUANTITY:
        return quantity_of(f, n, ret);
    default:
        return yaml_fault(f, ERR_KUBELET_CONFIG, n, "is not supported");
    }
}
