# The ast2600-evb board: bare metal on an Aspeed AST2600. fmc_io.c touches the machine itself: on the host a model stands in its place.
BOARD_SRC_ast2600-evb := $(filter-out %/fmc_io.c,$(sort $(wildcard boards/ast2600-evb/*.c)))
