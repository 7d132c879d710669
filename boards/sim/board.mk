# The sim board: every node a forked process in lock-step with a scheduler; only for tests, with the host's C library.
BOARD_SRC_sim := $(sort $(wildcard boards/sim/*.c))
BOARD_CPPFLAGS_sim := -D_GNU_SOURCE
