"""Runs the lab tests of one suite: python3 tests/lab/main.py SUITE [pattern]. Suites: network keeper refusals qemu metal memory armv7 pair flash kube nodes
power control founder oneshot service switch bmc.

A test is a method whose name starts with `show` (the number of what it shows) or `test`. Prints a line per test with its time and closes with
`N passed, N failed, N skipped`. With CI=true a skip is a failure.
"""
import importlib
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools/lab")]


class Result(unittest.TestResult):
    passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, word, test, more=""):
        print(f"  {word:<8} {test.id().split('.')[-1]:<44} {time.monotonic() - self.began:6.1f} s  {more}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("FAILED", test)
        print(self.failures[-1][1], flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        if not hasattr(test, "_testMethodName"):
            self.began = time.monotonic()
        self.line("ERROR", test)
        print(self.errors[-1][1], flush=True)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.line("FAILED", test, subtest._subDescription())
            print((self.failures if issubclass(err[0], test.failureException) else self.errors)[-1][1], flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("skipped", test, reason)


def wanted(suite, pattern):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from wanted(item, pattern)
        elif not pattern or pattern in item.id():
            yield item


def main():
    # Ended from outside, it unwinds as after Ctrl-C: what the tests made is taken away. Any other exception would end one test only.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    module = importlib.import_module(f"suite_{sys.argv[1]}")
    pattern = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("T", "")
    names = unittest.TestLoader()
    tests = []
    for prefix in ("show", "test"):
        names.testMethodPrefix = prefix
        tests += list(wanted(names.loadTestsFromModule(module), "" if pattern == sys.argv[1] else pattern))
    result = Result()
    unittest.TestSuite(tests).run(result)
    broken = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    failed, skipped = len(broken), len(result.skipped)
    if os.environ.get("CI") == "true" and skipped:
        print("CI=true: a skip counts as a failure")
        failed, skipped = failed + skipped, 0
    print(f"{result.passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
