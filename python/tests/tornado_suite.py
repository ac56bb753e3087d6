"""Runs Tornado's own tests, unmodified, with squall's modules in place of Tornado's.

    python tests/tornado_suite.py [MODULE ..] [--only TEXT] [--verbose]

Prints how many tests of each module pass, and each test that does not, with the reason from the table below. Exits with
1 if a test fails that is not in the table, or if one in the table passes.
"""

import argparse
import faulthandler
import gc
import io
import logging
import os
import sys
import unittest
import warnings

import squall

# A busy machine may need longer than Tornado's five seconds.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "20")
squall.install()

import tornado  # noqa: E402

faulthandler.enable()
faulthandler.dump_traceback_later(220, exit=True)

CORE = ("gen", "concurrent", "locks", "queues", "ioloop")
HTTP = ("httpclient", "httpserver", "iostream", "web")

PRIVATE = "asks for a private attribute of Tornado's class"

# Each test that does not pass, and why.
EXPECTED = {
    "gen_test.GenCoroutineTest.test_asyncio_future_debug_info": "asks for asyncio's debug text of a Future",
    "locks_test.ConditionTest.test_garbage_collection": PRIVATE,
    "locks_test.SemaphoreTest.test_acquire": PRIVATE,
    "locks_test.SemaphoreTest.test_garbage_collection": PRIVATE,
    "queues_test.QueueGetTest.test_get_clears_timed_out_getters": PRIVATE,
    "queues_test.QueueGetTest.test_get_clears_timed_out_putters": PRIVATE,
    "queues_test.QueuePutTest.test_put_clears_timed_out_getters": PRIVATE,
    "queues_test.QueuePutTest.test_put_clears_timed_out_putters": PRIVATE,
    "ioloop_test.TestPeriodicCallbackMath.test_basic": PRIVATE,
    "ioloop_test.TestPeriodicCallbackMath.test_clock_backwards": PRIVATE,
    "ioloop_test.TestPeriodicCallbackMath.test_jitter": PRIVATE,
    "ioloop_test.TestPeriodicCallbackMath.test_overrun": PRIVATE,
}


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def run(module, only, verbose):
    """Runs the tests of one module. Returns the names of all, and of those that did not pass."""
    loaded = unittest.defaultTestLoader.loadTestsFromName(f"tornado.test.{module}_test")
    tests = [test for test in tests_of(loaded) if not only or only in test.id()]
    stream = sys.stderr if verbose else io.StringIO()
    result = unittest.TextTestRunner(stream=stream, verbosity=2).run(unittest.TestSuite(tests))
    failed = {test.id().removeprefix("tornado.test."): text for test, text in result.failures + result.errors}
    return result, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="*", default=CORE)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--gc", action="store_true", help="collect after every few allocations")
    asked = parser.parse_args()
    if asked.gc:
        gc.set_threshold(3, 2, 2)
    if not asked.verbose:
        logging.getLogger().addHandler(logging.NullHandler())
        warnings.simplefilter("ignore")
    surprises = []
    for module in asked.modules:
        result, failed = run(module, asked.only, asked.verbose)
        passed = result.testsRun - len(failed) - len(result.skipped)
        print(f"{module}_test of Tornado {tornado.version}: {passed} of {result.testsRun} pass, {len(result.skipped)} skipped")
        for name, text in failed.items():
            reason = EXPECTED.get(name)
            print(f"  {name}: {reason or 'NOT EXPECTED'}")
            if reason is None:
                surprises.append(name)
                print("    " + text.strip().replace("\n", "\n    "))
        if module in CORE and not asked.only:
            ran = {name for name in EXPECTED if name.startswith(f"{module}_test.")}
            surprises += [f"{name} passes now" for name in ran - set(failed)]
    for surprise in surprises:
        print("surprise:", surprise)
    sys.stdout.flush()
    os._exit(1 if surprises else 0) if asked.gc else sys.exit(1 if surprises else 0)


if __name__ == "__main__":
    main()
