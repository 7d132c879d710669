/*
 * trap.c - what a crash says: the exception, where, and all registers, on the UART without its ring. Then nothing more runs, and the watchdog
 * resets the machine.
 */
#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"
#include "firmware/base/span.h"

enum { TRAP_UNDEFINED, TRAP_SVC, TRAP_PREFETCH, TRAP_DATA, TRAP_IRQ, TRAP_FIQ };

/* As start.S leaves it on the stack: r0 to r12, and lr of the exception's mode. */
struct trap_frame {
    uint32_t r[13];
    uint32_t lr;
};

void trap_report(const struct trap_frame *f, uint32_t spsr, uint32_t kind, uint32_t sp, uint32_t lr);

static void put(const char *s)
{
    for (; *s; s++) {
        while (!(mmio_read(AST_UART5 + UART_LSR) & UART_LSR_EMPTY))
            continue;
        mmio_write(AST_UART5 + UART_THR, (uint8_t)*s);
    }
}

static void put_hex(const char *name, uint32_t v)
{
    static const char digits[] = "0123456789abcdef";
    char text[9] = {0};

    for (unsigned i = 0; i < 8; i++)
        text[i] = digits[v >> (28 - 4 * i) & 15];
    put(name);
    put(text);
}

void trap_report(const struct trap_frame *f, uint32_t spsr, uint32_t kind, uint32_t sp, uint32_t lr)
{
    static const struct {
        const char *name;
        uint32_t
            after; /* how far behind the instruction the exception's lr is, in ARM state (DDI 0406C B1.8.3) */
    } kinds[] = {
        [TRAP_UNDEFINED] = {"undefined instruction", 4},
        [TRAP_SVC] = {"supervisor call", 4},
        [TRAP_PREFETCH] = {"prefetch abort", 4},
        [TRAP_DATA] = {"data abort", 8},
        [TRAP_IRQ] = {"interrupt", 4},
        [TRAP_FIQ] = {"fast interrupt", 4},
    };
    static const char *const names[] = {"\r\n  r0 ", "  r1 ",     "  r2 ",     "  r3 ", "  r4 ",
                                        "  r5 ",     "\r\n  r6 ", "  r7 ",     "  r8 ", "  r9 ",
                                        "  r10 ",    "  r11 ",    "\r\n  r12 "};
    uint32_t status, address, thumb = (spsr >> 5 & 1) && kind == TRAP_UNDEFINED ? 2 : 0;

    put("\r\njoinboot: crash: ");
    put(kinds[kind].name);
    put_hex(" pc ", f->lr - kinds[kind].after + thumb);
    __asm__ volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(status));  /* DFSR */
    __asm__ volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(address)); /* DFAR */
    put_hex(" dfsr ", status);
    put_hex(" dfar ", address);
    put_hex(" psr ", spsr);
    for (unsigned i = 0; i < COUNT(f->r); i++)
        put_hex(names[i], f->r[i]);
    put_hex("  sp ", sp);
    put_hex("  lr ", lr);
    put("\r\n");
    for (;;)
        __asm__ volatile("wfi");
}
