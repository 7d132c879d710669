# The system calls that make a file durable pass through the test.
LDFLAGS_test_linux_files := -Wl,--wrap=rename,--wrap=fsync,--wrap=pwrite,--wrap=fchmod,--wrap=unlink
