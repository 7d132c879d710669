/*
 * fault.h - the first thing that went wrong, kept with what an operator needs to find it.
 *
 * Invariant: once `code` is set, later calls of fault_set change nothing; the first fault is the cause. fault_clear starts anew.
 */
#ifndef JOINBOOT_BASE_FAULT_H
#define JOINBOOT_BASE_FAULT_H

#include "firmware/base/span.h"

struct fault {
    enum err code;
    uint32_t line; /* 1-based position in a document, 0 if it has none */
    uint32_t column;
    char path[96];  /* path in a document, such as discovery.bootstrapToken.caCertHashes[0]; may be empty */
    char peer[80];  /* who said it: address, host, file; may be empty */
    char text[160]; /* the short reason; may be empty; never a secret */
};

void fault_clear(struct fault *f);

/* Keeps the first fault; returns `code` always, so that `return fault_set(...)` reads well. f may be NULL. */
enum err fault_set(struct fault *f, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with a position in a document. */
enum err fault_at(struct fault *f, enum err code, uint32_t line, uint32_t column, const char *path,
                  const char *fmt, ...) PRINTF_LIKE(6, 7);

/* Names the peer of the kept fault, if it has none yet. */
void fault_peer(struct fault *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One line: "name: text (path at line:column) [peer]"; used by journal, console and joinctl. */
void fault_print(const struct fault *f, struct buf *ret);

#endif
