# The jobs on the state partition are the test's.
LDFLAGS_test_linux_rootfs := -Wl,--wrap=statefs_mount,--wrap=statefs_check,--wrap=statefs_format
