/*
 * gate_wrap.c - what the linker puts in the place of yaml_parser_parse (--wrap): nothing is parsed whose proof is not known to gate.c.
 *
 * This is a second lock. The first is that only verify.c can make a struct verified; if some way around it is ever written, the process
 * ends here instead of reading bytes from a stranger. The bytes are looked up when their stream starts; later events of the same parser
 * over the same bytes go through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "config/gate.h"

int __real_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);

static struct {
    const yaml_parser_t *parser;
    const unsigned char *start, *end;
} current;

static void stop(const char *why)
{
    (void)fprintf(stderr, "joinboot: the YAML parser was called with %s\n", why);
    abort();
}

/* libyaml's handler for strings has no name outside its file; a parser that was given a string has it. */
static bool reads_string(const yaml_parser_t *parser)
{
    yaml_parser_t probe;
    memset(&probe, 0, sizeof(probe));
    yaml_parser_set_input_string(&probe, (const unsigned char *)"", 0);
    return parser->read_handler == probe.read_handler && parser->read_handler_data == parser;
}

int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event)
{
    if (!reads_string(parser))
        stop("something else than bytes in memory");
    const unsigned char *start = parser->input.string.start, *end = parser->input.string.end;
    bool same = current.parser == parser && current.start == start && current.end == end;
    if (!parser->stream_start_produced || !same) {
        if (parser->stream_start_produced || !gate_admitted(span_of(start, (size_t)(end - start))))
            stop("bytes that nothing vouches for");
        current.parser = parser;
        current.start = start;
        current.end = end;
    }
    return __real_yaml_parser_parse(parser, event);
}
