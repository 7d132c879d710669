# The ast2600-evb board: bare metal on an Aspeed AST2600, with the distribution's arm-none-eabi compiler and no C library of its own.
BOARD_SRC_ast2600-evb := $(sort $(wildcard boards/ast2600-evb/*.c))

# What touches the processor itself. The rest, drivers included, compiles for the host too: tests put a model in the place of mmio.c and fmc_io.c.
METAL_ONLY := $(addprefix boards/ast2600-evb/,main.c cpu.c mmio.c fmc_io.c trap.c runtime.c)

CROSS_ast2600-evb := arm-none-eabi-
CPU_ast2600-evb := -mcpu=cortex-a7 -mthumb -mfloat-abi=soft
CC_ast2600-evb := $(CCACHE) $(CROSS_ast2600-evb)gcc $(CPU_ast2600-evb)
AR_ast2600-evb := $(CROSS_ast2600-evb)ar
MUSL_TARGET_ast2600-evb := arm

# Address 0 is not mapped here, but it is an address: a check for NULL is never to be optimised away.
FLAGS_ast2600-evb = $(SMALL) -fno-delete-null-pointer-checks -DJOINBOOT_SIZES='"boards/ast2600-evb/sizes.h"' $(call musl_include,ast2600-evb)
TP_FLAGS_ast2600-evb = $(FLAGS_ast2600-evb) $(TP_COMMON)
METAL_LINK_ast2600-evb = $(CPU_ast2600-evb) -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack \
    -Wl,--no-warn-rwx-segments -Wl,--defsym=link_ram_budget=$(RAM_BUDGET_ast2600-evb)

# Bytes: the image in flash; data, bss, stacks and page table in memory, without the DMA section (frames and descriptors). Nothing else is taken while
# it runs. link.ld refuses more memory than this.
FLASH_BUDGET_ast2600-evb := 327680
RAM_BUDGET_ast2600-evb := 262144
