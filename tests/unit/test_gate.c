/*
 * test_gate.c - with the linker's wrap, as in the agent: bytes that nothing vouches for end the process before libyaml sees them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <yaml.h>

#include "config/gate.h"
#include "config/yaml.h"
#include "firmware/base/limits.h"
#include "tests/unit/testcrypto.h"

static _Alignas(16) uint8_t memory[64 * 1024];
static char text[] = "a: b\nc: [d, e]\n";

static struct span all_of_text(void)
{
    return span_of(text, sizeof(text) - 1);
}

static enum err parse(struct span s)
{
    struct arena arena;
    struct yaml_stream stream;
    struct fault f;
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&f);
    return yaml_parse(s, &arena, &stream, &f);
}

/* True if the function's child process was aborted. */
static bool aborts(void (*fn)(void))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        fn();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void parse_text(void)
{
    (void)!parse(all_of_text());
}

static void parse_shorter(void)
{
    (void)!parse(span_of(text, 5));
}

static void parse_copy(void)
{
    static char copy[sizeof(text)];
    memcpy(copy, text, sizeof(text));
    (void)!parse(span_of(copy, sizeof(copy) - 1));
}

static void refuses_unknown(void **state)
{
    (void)state;
    gate_clear();
    assert_false(gate_admitted(all_of_text()));
    assert_true(aborts(parse_text));
}

static void admits_exactly(void **state)
{
    (void)state;
    gate_clear();
    assert_int_equal(gate_admit(GATE_SIGNATURE, all_of_text()), OK);
    assert_true(gate_admitted(all_of_text()));
    assert_int_equal(parse(all_of_text()), OK);
    assert_int_equal(parse(all_of_text()), OK);
    assert_true(aborts(parse_shorter));
    assert_true(aborts(parse_copy));
    text[3] = 'x';
    assert_false(gate_admitted(all_of_text()));
    assert_true(aborts(parse_text));
    text[3] = 'b';
    assert_true(gate_admitted(all_of_text()));
    gate_clear();
    assert_true(aborts(parse_text));
}

static void every_proof_is_named(void **state)
{
    (void)state;
    gate_clear();
    assert_int_equal(gate_admit((enum gate_proof)0, all_of_text()), ERR_STATE);
    assert_int_equal(gate_admit((enum gate_proof)6, all_of_text()), ERR_STATE);
    assert_false(gate_admitted(all_of_text()));
    for (int proof = GATE_SIGNATURE; proof <= GATE_OWN_FILE; proof++) {
        gate_clear();
        assert_int_equal(gate_admit((enum gate_proof)proof, all_of_text()), OK);
        assert_int_equal(parse(all_of_text()), OK);
    }
}

static void keeps_the_newest(void **state)
{
    (void)state;
    static char bytes[5][4] = {"aa", "bb", "cc", "dd", "ee"};
    gate_clear();
    for (int i = 0; i < 5; i++)
        assert_int_equal(gate_admit(GATE_SIGNATURE, span_str(bytes[i])), OK);
    assert_false(gate_admitted(span_str(bytes[0])));
    for (int i = 1; i < 5; i++)
        assert_true(gate_admitted(span_str(bytes[i])));
}

/* libyaml used directly, as code that knows nothing of the gate would. */
static void first_event(void (*set_input)(yaml_parser_t *))
{
    yaml_parser_t parser;
    yaml_event_t event;
    if (!yaml_parser_initialize(&parser))
        _exit(4);
    set_input(&parser);
    if (yaml_parser_parse(&parser, &event))
        yaml_event_delete(&event);
    yaml_parser_delete(&parser);
}

static int read_handler(void *data, unsigned char *buffer, size_t size, size_t *ret)
{
    (void)data;
    (void)size;
    buffer[0] = 'a';
    *ret = 1;
    return 1;
}

static void set_handler(yaml_parser_t *parser)
{
    yaml_parser_set_input(parser, read_handler, parser);
    parser->input.string.start = (unsigned char *)text;
    parser->input.string.end = (unsigned char *)text + sizeof(text) - 1;
}

static void with_handler(void)
{
    first_event(set_handler);
}

static void set_file(yaml_parser_t *parser)
{
    yaml_parser_set_input_file(parser, stdin);
}

static void with_file(void)
{
    first_event(set_file);
}

/* The bytes are exchanged behind a parser that has started. */
static void exchange_later(void)
{
    static const char other[] = "evil: yes\n";
    yaml_parser_t parser;
    yaml_event_t event;
    if (!yaml_parser_initialize(&parser))
        _exit(4);
    yaml_parser_set_input_string(&parser, (unsigned char *)text, sizeof(text) - 1);
    if (!yaml_parser_parse(&parser, &event))
        _exit(5);
    parser.input.string.start = (const unsigned char *)other;
    parser.input.string.end = (const unsigned char *)other + sizeof(other) - 1;
    (void)yaml_parser_parse(&parser, &event);
}

static void refuses_other_inputs(void **state)
{
    (void)state;
    gate_clear();
    assert_int_equal(gate_admit(GATE_SIGNATURE, all_of_text()), OK);
    assert_true(aborts(with_handler));
    assert_true(aborts(with_file));
    assert_true(aborts(exchange_later));
    assert_int_equal(parse(all_of_text()), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_unknown),      cmocka_unit_test(admits_exactly),
        cmocka_unit_test(every_proof_is_named), cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(refuses_other_inputs),
    };
    testcrypto_start(160 * 1024);
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
