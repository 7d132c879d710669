# The end of a machine, of which a test must not reach the real one.
LDFLAGS_test_linux_mounts := -Wl,--wrap=sync,--wrap=umount2,--wrap=mount
