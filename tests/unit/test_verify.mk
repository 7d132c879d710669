# What verify.c calls can be made to fail: a failure that is not looked at would let bytes through.
LDFLAGS_test_verify := -Wl,--wrap=hash_sha256,--wrap=text_b64url,--wrap=jose_header_put,--wrap=jose_split,--wrap=jose_es256_verify
