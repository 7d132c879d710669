/*
 * values.h - Kubernetes' scalar values in the canonical form that its marshaller gives them: durations (90s becomes
 * 1m30s), quantities (1024Mi becomes 1Gi), floats. Each appends to ret, or returns ERR_INPUT for a value that
 * Kubernetes refuses or whose canonical form is not certain here.
 */
#ifndef JOINBOOT_KUBE_VALUES_H
#define JOINBOOT_KUBE_VALUES_H

#include "firmware/base/span.h"

/* Go's time.ParseDuration: [-+]?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+ or 0. Nanoseconds. ERR_INPUT; also above 146 years. */
enum err values_duration(struct span text, int64_t *ret_ns) MUST_USE;
/* Go's Duration.String. */
void values_duration_put(struct buf *ret, int64_t ns);

/* A quantity without sign and fraction: up to 15 digits and n, u, m, k, M, G, T, P, E, Ki ... Ei. Others are refused. */
enum err values_quantity(struct span text, struct buf *ret) MUST_USE;

/* A number of at most 15 digits, at least 0.0001 and below 1000000 in size (or 0), as Go prints a float64. */
enum err values_float(struct span text, struct buf *ret) MUST_USE;

#endif
