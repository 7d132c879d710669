# Every allocator passes through the test. The gate stands where it stands in the agent: between callers and libyaml. The program names lwIP's
# functions itself, so net/port.c, which takes the place of lwIP's resolver, must be found before lwIP is searched.
LDFLAGS_scenario_torture := -Wl,-u,port_tcp_isn,--wrap=yaml_parser_parse \
    -Wl,--wrap=yaml_heap_malloc,--wrap=yaml_heap_realloc,--wrap=yaml_heap_strdup,--wrap=arena_take,--wrap=arena_copy \
    -Wl,--wrap=heap_take,--wrap=heap_give,--wrap=memp_malloc,--wrap=memp_free,--wrap=mem_malloc,--wrap=pbuf_alloc
