/*
 * runtime.c - what compiler and libraries expect beside memcpy and its kin, which are musl's: the ends of a program that went wrong, and the value
 * that guards the stack. Defined here, they keep musl's own, which speak to a kernel, out of the link.
 */
#include "boards/ast2600-evb/mmio.h"

uintptr_t __stack_chk_guard;

_Noreturn void __stack_chk_fail(void);
_Noreturn void abort(void);
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function);
int *__errno_location(void);
int *___errno_location(void); /* musl's own name for it */

/* An undefined instruction: trap.c tells where. */
_Noreturn void __stack_chk_fail(void)
{
    __builtin_trap();
}

_Noreturn void abort(void)
{
    __builtin_trap();
}

_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function)
{
    (void)what;
    (void)file;
    (void)line;
    (void)function;
    __builtin_trap();
}

int *__errno_location(void)
{
    static int value;

    return &value;
}

int *___errno_location(void)
{
    return __errno_location();
}
