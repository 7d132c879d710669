# Link flags that single test programs need.

# The gate is tested in the place that it has in the agent: between callers and libyaml.
LDFLAGS_test_gate := -Wl,--wrap=yaml_parser_parse
