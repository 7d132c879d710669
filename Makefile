# joinboot: one Makefile for everything, run from the repository's root. No file list is kept here: a new .c file in a room,
# a new test or a new fuzzer is found by its place and name.
#
#   variant     what                                     compiler and flags
#   host        joinctl                                  glibc, -O2
#   host-asan   unit tests, scenarios, sanitized tools   glibc, -O1, ASan and UBSan
#   x86_64      the agent                                static musl, -Os
#   aarch64     the agent                                static musl, -Os
#   armv7       the agent                                static musl, -Os, Thumb-2, floating-point registers
#   ast2600-evb the agent on bare metal                  musl's functions that need no kernel, -Os
#   fuzz        fuzzers                                  clang, libFuzzer, ASan and UBSan
#
# $(BUILD)/<variant>/obj has our objects, .../lib one archive per room and library, $(BUILD)/third-party the unpacked sources
# and musl. An object depends on its headers, and on the flags that it was compiled with.

HASH := \#
comma := ,
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
ifeq ($(origin SHELL),command line)
LAB_SHELL := $(SHELL)
endif
override SHELL := /bin/bash
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

override BUILD := $(or $(BUILD),build)
override ARCH := $(or $(ARCH),x86_64)
BOARD ?= linux
JOBS ?= $(shell nproc)
HOST_CC ?= gcc
FUZZ_CC ?= clang-14
SECONDS ?= 20
CCACHE := $(shell command -v ccache)
ARCHES := x86_64 aarch64 armv7
# Boards without an operating system: each is a variant of its own name.
METALS := ast2600-evb
VARIANTS := host host-asan fuzz $(ARCHES) $(METALS)
ifeq ($(filter $(ARCH),$(ARCHES)),)
$(error ARCH=$(ARCH): x86_64, aarch64 or armv7)
endif

# These goals work on a bare machine, or set it up themselves; every other goal compiles something.
PLAIN_GOALS := help setup fetch bump test lab bench cluster cluster-down image format clean distclean
BUILDING := $(filter-out $(PLAIN_GOALS),$(or $(MAKECMDGOALS),help))

# Networks of our own need root. The caller's cache, path and build are kept, and the jobserver, which only make uses, is not.
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo -n) env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS BUILD='$(BUILD)' PATH="$$PATH" \
    JOINBOOT_CACHE="$${JOINBOOT_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/joinboot}" SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)'

##@ Building

help: ## this text
	@awk -f tools/help.awk $(firstword $(MAKEFILE_LIST))

setup: ## install the packages that building and testing need (list and size are shown first)
	@tools/setup

agent: ## [ARCH=x86_64|aarch64|armv7] [BOARD=ast2600-evb] the boot agent, static: build/<arch or board>/joinboot
joinctl: ## the operator's command: build/host/joinctl

##@ Testing

check: ## [T=pattern] unit tests and scenarios under ASan and UBSan: no root, no network, fast
lint: ## format, clang-tidy, cppcheck, layers, banned functions, file lengths
size: ## [BOARD=linux] [ARCH=] flash and memory by component, against the budget
fuzz: ## [T=pattern] [SECONDS=20] every fuzzer, from its corpus

test: ## [T=pattern] everything, set-up included (root or sudo): lint, unit, scenarios, networks, QEMU, Kubernetes
	@tools/need all >/dev/null 2>&1 || tools/setup
	@+$(MAKE) --no-print-directory -j$(JOBS) test-programs
	@$(AS_ROOT) T='$(T)' tests/run

test-nodes: ## [T=pattern] every test of real nodes under QEMU: power cycles, power button, pods and services, kills, single stack, NICs and disks, control planes, switch-root
	@tools/need all >/dev/null 2>&1 || tools/setup
	@+$(MAKE) --no-print-directory -j$(JOBS) lab-programs
	@$(AS_ROOT) python3 tests/lab/main.py nodes '$(T)'
	@$(AS_ROOT) python3 tests/lab/main.py power '$(T)'
	@$(AS_ROOT) python3 tests/lab/main.py control '$(T)'
	@$(AS_ROOT) python3 tests/lab/main.py founder '$(T)'
	@$(AS_ROOT) python3 tests/lab/main.py switch '$(T)'
	@$(AS_ROOT) python3 tests/lab/main.py service '$(T)'

test-kube: ## KUBE=1.35|1.36|1.37 kubeadm's files, real kubelets and failures against a cluster of that minor (root or sudo)
	@tools/need all >/dev/null 2>&1 || tools/setup
	@+$(MAKE) --no-print-directory -j$(JOBS) lab-programs
	@KUBE='$(KUBE)' tools/kube/build >/dev/null
	@$(AS_ROOT) KUBE='$(KUBE)' BUILD='$(BUILD)' python3 tests/lab/main.py kube .Kube.

##@ The lab

LAB_WORDS = ARCH='$(ARCH)' BOARD='$(BOARD)' CLUSTER='$(CLUSTER)' NODES='$(NODES)' FAULT='$(FAULT)' LAB_SHELL='$(LAB_SHELL)'

lab: ## [ARCH=] [CLUSTER=stand-in|kubernetes] [BOARD=] [NODES=] [FAULT=] [SHELL=1] nodes boot under QEMU, live
	@tools/need all >/dev/null 2>&1 || tools/setup
	@$(LAB_WORDS) tools/lab/lab --check
	@+$(MAKE) --no-print-directory -j$(JOBS) lab-programs
	@$(AS_ROOT) $(LAB_WORDS) tools/lab/lab

image: ## [BOARD=ast2600-evb] the lab's node image: kernel, root file systems, container images; or a board's flash: build/<board>/flash.img
ifneq ($(filter $(BOARD),$(METALS)),)
	@+$(MAKE) --no-print-directory joinctl agent
	@$(BUILD)/host/joinctl image --board $(BOARD) --code $(BUILD)/$(BOARD)/joinboot $(BUILD)/$(BOARD)/flash.img
	@cd $(BUILD)/$(BOARD) && sha256sum flash.img
else
	@tools/need all || exit 2
	@$(AS_ROOT) tools/image/build $(ARCH)
endif

bench: ## the agent's time to a joined node beside kubeadm's; BOARD=ast2600-evb: from exec of QEMU to serving; median of 11
	@tools/need all || exit 2
ifneq ($(filter $(BOARD),$(METALS)),)
	@+$(MAKE) --no-print-directory joinctl agent
	@$(AS_ROOT) tools/lab/bench_metal.py
else
	@+$(MAKE) --no-print-directory -j$(JOBS) lab-programs
	@$(AS_ROOT) tools/lab/bench
endif

cluster: ## start a real dual-stack Kubernetes control plane in a namespace of its own
	@tools/need all || exit 2
	@$(AS_ROOT) tools/kube/cluster up

cluster-down: ## stop it again
	@$(AS_ROOT) tools/kube/cluster down

##@ Housekeeping

fetch: ## bring all third-party sources into the cache (SOURCES=DIR: from a folder)
	@tools/need fetch
	@tools/fetch

bump: ## PKG=name: print a new row for tools/deps.lock
	@tools/need fetch
	@tools/fetch bump '$(PKG)'

format: ## rewrite the sources in the project's format
	@tools/need lint
	@clang-format-14 -i $(LINT_FILES)

clean: ## remove build results
	@rm -rf $(BUILD)

distclean: clean ## remove build results and the cache, whose size is said
	@tools/fetch wipe

.PHONY: help setup agent joinctl check lint size fuzz test test-kube test-nodes lab image bench cluster cluster-down fetch bump format clean distclean

#
# Our sources
#

ROOMS := base crypto net config kube agent boards-linux boards-sim boards-ast2600-evb joinctl lab testlib
ROOM_DIR_base := firmware/base
ROOM_DIR_crypto := firmware/crypto
ROOM_DIR_net := net
ROOM_DIR_config := config
ROOM_DIR_kube := firmware/kube
ROOM_DIR_agent := firmware/agent
ROOM_DIR_boards-linux := boards/linux
ROOM_DIR_boards-sim := boards/sim
ROOM_DIR_boards-ast2600-evb := boards/ast2600-evb
ROOM_DIR_joinctl := tools/joinctl
ROOM_DIR_lab := tools/lab

# What a room is linked with: itself and the rooms below it.
NEEDS_base := base
NEEDS_crypto := crypto $(NEEDS_base)
NEEDS_net := net $(NEEDS_crypto)
NEEDS_config := config $(NEEDS_crypto)
NEEDS_kube := kube net $(NEEDS_config)
NEEDS_agent := agent $(NEEDS_kube)
NEEDS_boards-linux := boards-linux $(NEEDS_agent)
NEEDS_boards-sim := boards-sim $(NEEDS_agent)
NEEDS_boards-ast2600-evb := boards-ast2600-evb $(NEEDS_agent)
NEEDS_joinctl := joinctl $(NEEDS_config)

# The libraries that a room's code calls; its headers are visible to this room's code (and to tests) only.
LIBS_crypto := mbedtls
LIBS_net := lwip
LIBS_config := libyaml

include boards/linux/board.mk
include boards/sim/board.mk
include boards/ast2600-evb/board.mk

TEST_SRC := $(sort $(wildcard tests/unit/*.c))
SCENARIO_SRC := $(sort $(wildcard tests/scenario/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TEST_PROGRAMS := $(sort $(if $(TEST_SRC),$(shell grep -l '^int main\>' $(TEST_SRC))))
SCENARIO_PROGRAMS := $(sort $(if $(SCENARIO_SRC),$(shell grep -l '^int main\>' $(SCENARIO_SRC))))

SRC_base := $(sort $(wildcard firmware/base/*.c))
SRC_crypto := $(sort $(wildcard firmware/crypto/*.c))
SRC_net := $(sort $(wildcard net/*.c))
SRC_config := $(sort $(wildcard config/*.c))
SRC_kube := $(sort $(wildcard firmware/kube/*.c))
SRC_agent := $(sort $(wildcard firmware/agent/*.c))
SRC_boards-linux := $(BOARD_SRC_linux)
SRC_boards-sim := $(BOARD_SRC_sim)
SRC_boards-ast2600-evb := $(BOARD_SRC_ast2600-evb)
SRC_joinctl := $(sort $(wildcard tools/joinctl/*.c))
SRC_lab := $(sort $(wildcard tools/lab/*.c))
SRC_testlib := $(filter-out $(TEST_PROGRAMS) $(SCENARIO_PROGRAMS) $(FUZZ_SRC),$(TEST_SRC) $(SCENARIO_SRC) $(sort $(wildcard tests/fuzz/*.c)))

OUR_SRC := $(foreach r,$(ROOMS),$(SRC_$r)) $(TEST_PROGRAMS) $(SCENARIO_PROGRAMS) $(FUZZ_SRC)
OUR_HEADERS := $(sort $(wildcard boards/*.h $(foreach r,$(ROOMS),$(if $(ROOM_DIR_$r),$(ROOM_DIR_$r)/*.h)) net/lwip/arch/*.h tests/*/*.h \
    tools/third-party/*.h tools/third-party/*/*.h))
LINT_FILES := $(OUR_SRC) $(wildcard tools/image/*.c) $(OUR_HEADERS)

#
# Flags
#

WARN := -std=c11 -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wundef -Werror
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SMALL := -Os -g -ffunction-sections -fdata-sections -fno-pie -fno-unwind-tables -fno-asynchronous-unwind-tables -fstack-protector-strong

CC_host := $(CCACHE) $(HOST_CC)
CC_host-asan := $(CCACHE) $(HOST_CC)
CC_fuzz := $(CCACHE) $(FUZZ_CC)
CC_x86_64 := $(CCACHE) $(CROSS_x86_64)gcc
CC_aarch64 := $(CCACHE) $(CROSS_aarch64)gcc
CC_armv7 := $(CCACHE) $(CROSS_armv7)gcc
AR_host := ar
AR_host-asan := ar
AR_fuzz := ar
AR_x86_64 := $(CROSS_x86_64)ar
AR_aarch64 := $(CROSS_aarch64)ar
AR_armv7 := $(CROSS_armv7)ar

FLAGS_host := -O2 -g -ffunction-sections -fdata-sections -fstack-protector-strong
FLAGS_host-asan := -O1 -g $(SANITIZE)
FLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION=0
FLAGS_x86_64 = $(SMALL) $(call musl_include,x86_64)
FLAGS_aarch64 = $(SMALL) -mno-outline-atomics $(call musl_include,aarch64)
FLAGS_armv7 = $(SMALL) $(call musl_include,armv7)

# Third-party code is small everywhere, and watched by ASan but not by UBSan.
TP_COMMON := -w -std=gnu11 -Os -g1 -ffunction-sections -fdata-sections
TP_FLAGS_host := $(TP_COMMON)
TP_FLAGS_host-asan := $(TP_COMMON) -O1 -fsanitize=address -fno-omit-frame-pointer
TP_FLAGS_fuzz := $(TP_COMMON) -O1 -fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer
TP_FLAGS_x86_64 = $(FLAGS_x86_64) $(TP_COMMON)
TP_FLAGS_aarch64 = $(FLAGS_aarch64) $(TP_COMMON)
TP_FLAGS_armv7 = $(FLAGS_armv7) $(TP_COMMON)

# A static agent sees musl's headers, the kernel's and the compiler's own: nothing of the machine it is built on.
musl_include = -nostdinc -isystem $(BUILD)/third-party/$1/musl/include -isystem $(BUILD)/third-party/$1/kernel \
    -isystem $(GCC_INCLUDE_$1)

TP_SRC := $(BUILD)/third-party/src
# lwIP takes ssize_t from the C library only where limits.h shows SSIZE_MAX, which strict C11 hides.
INCLUDE_lwip := -D_POSIX_C_SOURCE=200809L -isystem net -isystem net/lwip -isystem $(TP_SRC)/lwip/src/include
INCLUDE_mbedtls := -isystem $(TP_SRC)/mbedtls/include -DMBEDTLS_CONFIG_FILE='"firmware/crypto/mbedtls_config.h"'
INCLUDE_libyaml := -isystem $(TP_SRC)/libyaml/include
INCLUDE_tests := $(INCLUDE_lwip) $(INCLUDE_mbedtls) $(INCLUDE_libyaml)

CPPFLAGS_crypto := $(INCLUDE_mbedtls)
CPPFLAGS_net := $(INCLUDE_lwip)
CPPFLAGS_config := $(INCLUDE_libyaml)
CPPFLAGS_boards-linux := $(BOARD_CPPFLAGS_linux)
CPPFLAGS_boards-sim := $(BOARD_CPPFLAGS_sim)
CPPFLAGS_joinctl := -D_GNU_SOURCE
CPPFLAGS_lab := -D_GNU_SOURCE
CPPFLAGS_testlib := -D_GNU_SOURCE $(INCLUDE_tests)

# libyaml calls the heap directly: these names lead it to the arena of config/yaml_heap.c, in every variant.
YAML_HEAP := -Dmalloc=yaml_heap_malloc -Drealloc=yaml_heap_realloc -Dfree=yaml_heap_free -Dstrdup=yaml_heap_strdup
TP_CPPFLAGS_lwip := $(INCLUDE_lwip)
TP_CPPFLAGS_mbedtls := $(INCLUDE_mbedtls) -D_GNU_SOURCE -I$(TP_SRC)/mbedtls/library
TP_CPPFLAGS_libyaml := $(INCLUDE_libyaml) -isystem tools/third-party/libyaml -DHAVE_CONFIG_H $(YAML_HEAP)

# The build's time is the floor of the agent's clock. It reaches this one file, so that a commit rebuilds nothing else.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell stat -c %Y Makefile))
TIMED := firmware/agent/build.c
FLAGS_FOR_$(TIMED) := -DJOINBOOT_BUILD_EPOCH=$(SOURCE_DATE_EPOCH)

ifneq ($(BUILDING),)

MISSING := $(shell tools/need build)
ifneq ($(MISSING),)
$(error $(MISSING))
endif
$(foreach a,$(ARCHES) $(METALS),$(eval GCC_INCLUDE_$a := $(shell $(CROSS_$a)gcc -print-file-name=include)))

#
# Third-party sources: unpacked once per content of the lock file; the lists of their files are read from there. libyaml's input buffers, four
# times this size together, have no option: its whole input is in memory, and 64 KiB more of it would be a quarter of a BMC's. Nor has musl's printf
# one without floating point, which nothing here prints: asked for it, it fails with EINVAL.
#
YAML_INPUT := 2048

$(shell mkdir -p $(TP_SRC); cmp -s tools/deps.lock $(TP_SRC)/.lock || cp tools/deps.lock $(TP_SRC)/.lock)
include $(TP_SRC)/.sources.mk
$(TP_SRC)/.sources.mk: $(TP_SRC)/.lock
	@tools/fetch unpack $(TP_SRC)
	@sed -i 's/^\(#define INPUT_RAW_BUFFER_SIZE *\)16384$$/\1$(YAML_INPUT)/' $(TP_SRC)/libyaml/src/yaml_private.h
	@sed -i 's/l = fmt_fp(f, arg.f, w, p, fl, t);/goto inval;/' $(TP_SRC)/musl/src/stdio/vfprintf.c
	@grep -q 'INPUT_RAW_BUFFER_SIZE *$(YAML_INPUT)$$' $(TP_SRC)/libyaml/src/yaml_private.h
	@! grep -q '= fmt_fp' $(TP_SRC)/musl/src/stdio/vfprintf.c
	@cd $(TP_SRC) && { \
	    echo TP_FILES_lwip := lwip/src/core/*.c lwip/src/core/ipv4/*.c lwip/src/core/ipv6/*.c lwip/src/netif/ethernet.c; \
	    echo TP_FILES_mbedtls := mbedtls/library/*.c; \
	    echo TP_FILES_libyaml := libyaml/src/api.c libyaml/src/parser.c libyaml/src/reader.c libyaml/src/scanner.c; \
	} >.sources.mk.new && mv .sources.mk.new .sources.mk

# musl and the kernel's headers, per architecture.
define musl_rules
$(BUILD)/third-party/$1/musl/lib/libc.a: $(TP_SRC)/.sources.mk
	@echo "  MUSL     $1"
	@rm -rf $(BUILD)/third-party/$1/musl-build && mkdir -p $(BUILD)/third-party/$1/musl-build
	@cd $(BUILD)/third-party/$1/musl-build && $(abspath $(TP_SRC))/musl/configure --target=$(or $(MUSL_TARGET_$1),$1) --prefix=$(abspath $(BUILD))/third-party/$1/musl \
	    --disable-shared --disable-wrapper --enable-optimize=no CC='$$(CC_$1)' CROSS_COMPILE='$(CROSS_$1)' AR='$(AR_$1)' RANLIB='$(CROSS_$1)ranlib' CFLAGS='-Os -w' >configure.log 2>&1 \
	    || { cat configure.log; exit 1; }
	+@env MAKEFLAGS='$$(filter -j% --jobserver%,$$(MAKEFLAGS))' make -s -C $(BUILD)/third-party/$1/musl-build install >/dev/null
	@rm -rf $(BUILD)/third-party/$1/musl-build

LIBC_$1 := $(BUILD)/third-party/$1/musl/lib/libc.a
LIBC_HEADERS_$1 := $(BUILD)/third-party/$1/musl/lib/libc.a
endef
$(foreach a,$(ARCHES) $(METALS),$(eval $(call musl_rules,$a)))

define kernel_rules
$(BUILD)/third-party/$1/kernel/.links: $(TP_SRC)/.sources.mk
	@mkdir -p $$(@D)
	@ln -sfnT $(KERNEL_$1)/linux $$(@D)/linux
	@ln -sfnT $(KERNEL_$1)/asm-generic $$(@D)/asm-generic
	@ln -sfnT $(KERNEL_ASM_$1) $$(@D)/asm
	@touch $$@

LIBC_HEADERS_$1 += $(BUILD)/third-party/$1/kernel/.links
endef
$(foreach a,$(ARCHES),$(eval $(call kernel_rules,$a)))

#
# Compiling
#

# stamp FILE,TEXT: a file that changes only when the text does.
define stamp
$1: FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$2)' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$2)' >$$@
endef
FORCE:
.PHONY: FORCE

# Files of a room in a variant: code that only tools need (_tool.c) stays out of the agents, and code that only a bare machine can run
# out of all others.
room_src = $(filter-out $(if $(filter $1,$(ARCHES) $(METALS)),%_tool.c) $(if $(filter $1,$(METALS)),,$(METAL_ONLY)),$(SRC_$2))
objects = $(patsubst %.c,$(BUILD)/$1/obj/%.o,$2)

# compile VARIANT,ROOM,SOURCES
define compile
$(call objects,$1,$3): $(BUILD)/$1/obj/%.o: %.c $(BUILD)/$1/flags-$2 $(TP_SRC)/.sources.mk | $(LIBC_HEADERS_$1)
	@mkdir -p $$(@D)
	@echo "  CC       $1 $$<"
	@$(CC_$1) $(WARN) $(FLAGS_$1) -iquote . $(CPPFLAGS_$2) $$(FLAGS_FOR_$$<) -MMD -MP -c -o $$@ $$<
endef

# room VARIANT,ROOM: one archive, made anew when a file comes or goes.
define room
$(call stamp,$(BUILD)/$1/flags-$2,$(CC_$1) $(WARN) $(FLAGS_$1) $(CPPFLAGS_$2))
$(call stamp,$(BUILD)/$1/lib/$2.list,$(call room_src,$1,$2))
$(call compile,$1,$2,$(call room_src,$1,$2))
$(BUILD)/$1/lib/$2.a: $(call objects,$1,$(call room_src,$1,$2)) $(BUILD)/$1/lib/$2.list
	@mkdir -p $$(@D) && rm -f $$@ && $(AR_$1) rcs $$@ $$(filter %.o,$$^)
endef

# library VARIANT,NAME. The compiler lists no header that it finds among the system's, as lwIP's options are.
SIZES := net/lwipopts.h firmware/base/limits.h $(wildcard firmware/base/sizes.h boards/*/sizes.h)
define library
$(call stamp,$(BUILD)/$1/flags-lib-$2,$(CC_$1) $(TP_FLAGS_$1) $(TP_CPPFLAGS_$2))
$(patsubst %.c,$(BUILD)/$1/third-party/%.o,$(TP_FILES_$2)): $(BUILD)/$1/third-party/%.o: $(TP_SRC)/.sources.mk $(BUILD)/$1/flags-lib-$2 $(SIZES) | $(LIBC_HEADERS_$1)
	@mkdir -p $$(@D)
	@$(CC_$1) $(TP_FLAGS_$1) -iquote . $(TP_CPPFLAGS_$2) -MMD -MP -c -o $$@ $$(patsubst $(BUILD)/$1/third-party/%.o,$(TP_SRC)/%.c,$$@)
$(BUILD)/$1/lib/lib$(2:lib%=%).a: $(patsubst %.c,$(BUILD)/$1/third-party/%.o,$(TP_FILES_$2))
	@echo "  LIBRARY  $1 $2"
	@mkdir -p $$(@D) && rm -f $$@ && $(AR_$1) rcs $$@ $$^
endef

$(foreach v,$(VARIANTS),$(foreach l,lwip mbedtls libyaml,$(eval $(call library,$v,$l))))
$(foreach v,$(VARIANTS),$(foreach r,$(ROOMS),$(eval $(call room,$v,$r))))

$(eval $(call stamp,$(BUILD)/build-time,$(SOURCE_DATE_EPOCH)))
$(foreach v,$(VARIANTS),$(call objects,$v,$(TIMED))): $(BUILD)/build-time

# archives VARIANT,ROOMS: the rooms' archives and those of the libraries under them.
archives = $(foreach r,$2,$(BUILD)/$1/lib/$r.a) $(foreach l,$(sort $(foreach r,$2,$(LIBS_$r))),$(BUILD)/$1/lib/lib$(l:lib%=%).a)

#
# Programs
#

# The agent. Its libyaml can be entered only through config's gate, and its map file is what `make size` reads.
# Only a dynamic loader would apply RELRO; in a static program it protects nothing and tears a hole of up to 64 KiB into the file.
STATIC_LINK := -static -no-pie -nostdlib -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro
AGENT_LINK := -Wl,--wrap=yaml_parser_parse

# link_static ARCH,FLAGS: the recipe that links the archives and objects among the prerequisites with musl.
define link_static
$(CROSS_$1)gcc $(STATIC_LINK) $2 -o $$@ $(dir $(LIBC_$1))crt1.o $(dir $(LIBC_$1))crti.o \
    -Wl,--start-group $$(filter %.o %.a,$$^) $(shell $(CROSS_$1)gcc -print-libgcc-file-name) -Wl,--end-group $(dir $(LIBC_$1))crtn.o
endef

define agent_rules
$(call stamp,$(BUILD)/$1/flags-link,$(STATIC_LINK) $(AGENT_LINK))
$(BUILD)/$1/joinboot.debug: $(BUILD)/$1/flags-link $(call archives,$1,$(NEEDS_boards-linux)) $(LIBC_$1)
	@echo "  LINK     $$@"
	@$(call link_static,$1,$(AGENT_LINK) -Wl$(comma)-Map$(comma)$(BUILD)/$1/joinboot.map)
$(BUILD)/$1/joinboot: $(BUILD)/$1/joinboot.debug
	@$(CROSS_$1)strip -s -R .comment -o $$@ $$<

# The lab's own small programs, one per source, for the machine that the lab boots.
$(patsubst tools/lab/%.c,$(BUILD)/$1/%,$(SRC_lab)): $(BUILD)/$1/%: $(BUILD)/$1/obj/tools/lab/%.o $(LIBC_$1)
	@echo "  LINK     $$@"
	@$(call link_static,$1,-s)
endef
LAB_PROGRAMS = $(patsubst tools/lab/%.c,$(BUILD)/$1/%,$(SRC_lab))
$(foreach a,$(ARCHES),$(eval $(call agent_rules,$a)))

# The same on bare metal, by the board's own linker script and start-up code; joinboot is what flash holds.
define metal_rules
$(call stamp,$(BUILD)/$1/flags-link,$(METAL_LINK_$1))
$(BUILD)/$1/obj/boards/$1/start.o: boards/$1/start.S $(BUILD)/$1/flags-boards-$1
	@mkdir -p $$(@D)
	@$(CC_$1) $(FLAGS_$1) -iquote . -MMD -MP -c -o $$@ $$<
$(BUILD)/$1/joinboot.debug: boards/$1/link.ld $(BUILD)/$1/flags-link $(BUILD)/$1/obj/boards/$1/start.o $(call archives,$1,$(NEEDS_boards-$1)) $(LIBC_$1)
	@echo "  LINK     $$@"
	@$(CROSS_$1)gcc $(METAL_LINK_$1) $(AGENT_LINK) -Wl$(comma)-Map$(comma)$(BUILD)/$1/joinboot.map -o $$@ -T $$< \
	    -Wl,--start-group $$(filter %.o %.a,$$^) $(shell $(CROSS_$1)gcc $(CPU_$1) -print-libgcc-file-name) -Wl,--end-group
$(BUILD)/$1/joinboot: $(BUILD)/$1/joinboot.debug
	@$(CROSS_$1)objcopy -O binary $$< $$@
endef
$(foreach m,$(METALS),$(eval $(call metal_rules,$m)))

# What is built for a board: the architecture's agent, or the board's own.
AGENT_DIR := $(BUILD)/$(or $(filter $(BOARD),$(METALS)),$(ARCH))
agent: $(AGENT_DIR)/joinboot

$(BUILD)/host/joinctl: $(call archives,host,$(NEEDS_joinctl))
	@echo "  LINK     $@"
	@$(HOST_CC) -Wl,--gc-sections -o $@ -Wl,--start-group $^ -Wl,--end-group
$(BUILD)/host/joinctl-asan: $(call archives,host-asan,$(NEEDS_joinctl))
	@mkdir -p $(@D)
	@echo "  LINK     $@"
	@$(HOST_CC) $(SANITIZE) -o $@ -Wl,--start-group $^ -Wl,--end-group
$(BUILD)/host/joinboot-asan: $(call archives,host-asan,$(NEEDS_boards-linux))
	@mkdir -p $(@D)
	@echo "  LINK     $@"
	@$(HOST_CC) $(SANITIZE) -Wl,--wrap=yaml_parser_parse -o $@ -Wl,--start-group $^ -Wl,--end-group
joinctl: $(BUILD)/host/joinctl

# program VARIANT,DIRECTORY,SOURCE,FIXED-ROOMS,LINK-FLAGS,LIBRARIES: one program per source, linked with the rooms whose headers it
# includes and those below them. LDFLAGS_<name>, set in a .mk file beside the source, adds flags for one program.
define program
$(BUILD)/$1/$2/$(basename $(notdir $3)): $(call objects,$1,$3) $(call archives,$1,$(sort $(foreach r,$(ROOMS_OF_$3) $4,$(NEEDS_$r)))) $(BUILD)/$1/lib/testlib.a $(LINK_MK)
	@mkdir -p $$(@D)
	@echo "  LINK     $$@"
	@$(subst $(CCACHE),,$(CC_$1)) $5 -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(LDFLAGS_$(basename $(notdir $3))) \
	    $6
endef
$(foreach r,$(ROOMS),$(if $(ROOM_DIR_$r),$(foreach s,$(if $(TEST_PROGRAMS)$(SCENARIO_PROGRAMS)$(FUZZ_SRC),$(shell grep -l '^$(HASH)include "$(ROOM_DIR_$r)/' $(TEST_PROGRAMS) $(SCENARIO_PROGRAMS) $(FUZZ_SRC))),$(eval ROOMS_OF_$s += $r))))

LINK_MK := $(wildcard tests/*/*.mk)
include $(LINK_MK)
TESTS := $(foreach s,$(TEST_PROGRAMS),$(BUILD)/host-asan/tests/$(basename $(notdir $s)))
SCENARIOS := $(foreach s,$(SCENARIO_PROGRAMS),$(BUILD)/host-asan/scenario/$(basename $(notdir $s)))
FUZZ_LINK := -fsanitize=fuzzer,address,undefined
FUZZERS := $(foreach s,$(FUZZ_SRC),$(BUILD)/fuzz/bin/$(basename $(notdir $s)))
$(eval $(call stamp,$(BUILD)/host-asan/flags-programs,$(CC_host-asan) $(WARN) $(FLAGS_host-asan) $(CPPFLAGS_testlib)))
$(eval $(call stamp,$(BUILD)/fuzz/flags-programs,$(CC_fuzz) $(WARN) $(FLAGS_fuzz) $(CPPFLAGS_testlib)))
CPPFLAGS_programs := $(CPPFLAGS_testlib)
$(eval $(call compile,host-asan,programs,$(TEST_PROGRAMS) $(SCENARIO_PROGRAMS)))
$(eval $(call compile,fuzz,programs,$(FUZZ_SRC)))
$(foreach s,$(TEST_PROGRAMS),$(eval $(call program,host-asan,tests,$s,base,$(SANITIZE),-lcmocka)))
$(foreach s,$(SCENARIO_PROGRAMS),$(eval $(call program,host-asan,scenario,$s,boards-sim,$(SANITIZE),-lcmocka)))
$(foreach s,$(FUZZ_SRC),$(eval $(call program,fuzz,bin,$s,base,$(FUZZ_LINK))))

#
# Testing
#

# run PROGRAM: quiet when it passes; its whole output when it does not.
define run_rule
run-$(notdir $1): $1 | forget-logs
	@start=$$$$(date +%s%N); \
	if $1 >$1.log 2>&1; then printf '  ok       %s (%d ms)\n' $(notdir $1) $$$$((($$$$(date +%s%N) - start) / 1000000)); \
	else status=$$$$?; cat $1.log; printf '  FAILED   %s (exit %d)\n' $(notdir $1) $$$$status; exit 1; fi
.PHONY: run-$(notdir $1)
endef
$(foreach p,$(TESTS) $(SCENARIOS),$(eval $(call run_rule,$p)))

# T chooses by a part of the source's path: T=json, T=scenario.
CHOSEN := $(foreach s,$(TEST_PROGRAMS) $(SCENARIO_PROGRAMS),$(if $(or $(if $(T),,all),$(findstring $(T),$s)),$(filter %/$(basename $(notdir $s)),$(TESTS) $(SCENARIOS))))
forget-logs:
	@rm -f $(addsuffix .log,$(TESTS) $(SCENARIOS))
check: $(foreach p,$(CHOSEN),run-$(notdir $p))
	@echo "$(words $^) programs passed"

# What tests/run and the lab expect to find.
test-programs: joinctl $(foreach m,$(METALS),$(BUILD)/$m/joinboot) $(BUILD)/host/joinctl-asan $(BUILD)/host/joinboot-asan $(TESTS) $(SCENARIOS) $(foreach a,$(ARCHES),$(BUILD)/$a/joinboot $(call LAB_PROGRAMS,$a)) $(foreach m,$(METALS),$(BUILD)/$m/joinboot)
lab-programs: joinctl agent $(call LAB_PROGRAMS,$(ARCH)) $(if $(filter $(BOARD),$(METALS)),$(BUILD)/$(ARCH)/joinboot) \
    $(foreach a,$(patsubst linux-%,%,$(filter linux-%,$(BOARD))),$(BUILD)/$a/joinboot $(call LAB_PROGRAMS,$a))
third-party: $(foreach v,host host-asan $(ARCHES),$(foreach l,lwip mbedtls libyaml,$(BUILD)/$v/lib/lib$(l:lib%=%).a)) $(foreach a,$(ARCHES),$(LIBC_$a))
.PHONY: test-programs lab-programs third-party forget-logs

fuzz: $(FUZZERS)
	@for f in $(if $(T),$(foreach p,$^,$(if $(findstring $(T),$p),$p)),$^); do tools/fuzz $$f $(SECONDS) || exit 1; done

lint: $(TP_SRC)/.sources.mk $(foreach a,$(ARCHES),$(LIBC_HEADERS_$a))
	@tools/need lint
	@BUILD='$(BUILD)' JOBS='$(JOBS)' WARN='$(WARN)' INCLUDES='$(subst ','\'',-iquote . $(INCLUDE_tests))' tools/lint/lint $(LINT_FILES)

size: $(AGENT_DIR)/joinboot
	@tools/size $(AGENT_DIR) $(or $(FLASH_BUDGET_$(BOARD)),$(FLASH_BUDGET_$(BOARD)_$(ARCH))) $(or $(RAM_BUDGET_$(BOARD)),$(RAM_BUDGET_$(BOARD)_$(ARCH)))

-include $(shell find $(foreach v,$(VARIANTS),$(BUILD)/$v) -name '*.d' 2>/dev/null)

endif
