# The linux board: an ordinary process or PID 1, static with musl.
BOARD_SRC_linux := $(sort $(wildcard boards/linux/*.c))
BOARD_CPPFLAGS_linux := -D_GNU_SOURCE

# Cross tools and kernel headers, as Debian's packages place them.
CROSS_x86_64 :=
KERNEL_x86_64 := /usr/include
KERNEL_ASM_x86_64 := /usr/include/x86_64-linux-gnu/asm
CROSS_aarch64 := aarch64-linux-gnu-
KERNEL_aarch64 := /usr/aarch64-linux-gnu/include
KERNEL_ASM_aarch64 := /usr/aarch64-linux-gnu/include/asm
# The compiler's own choice: ARMv7-A, Thumb-2, hard float. No processor of a BMC is ARMv7-A without a floating-point unit.
CROSS_armv7 := arm-linux-gnueabihf-
KERNEL_armv7 := /usr/arm-linux-gnueabihf/include
KERNEL_ASM_armv7 := /usr/arm-linux-gnueabihf/include/asm

# Bytes: the stripped file, and what data and bss take of memory.
FLASH_BUDGET_linux_x86_64 := 655360
FLASH_BUDGET_linux_aarch64 := 737280
FLASH_BUDGET_linux_armv7 := 655360
RAM_BUDGET_linux_x86_64 := 1835008
RAM_BUDGET_linux_aarch64 := 1835008
RAM_BUDGET_linux_armv7 := 1835008
