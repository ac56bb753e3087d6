"""Tests of coroutines: time that jumps, one resume at a time, in every order.

    from squall.testing import TestLoop, explore

    with TestLoop() as t:
        ticked = t.spawn(tick, 1)             # called, not started
        print(t.step())                       # tick: start -> yield future:pending at test_tick.py:12
        t.advance(60)
        assert ticked.result() == 2

    explore(transfer)                         # calls it once for each order of its coroutines
"""

import collections
import functools
import inspect
import unittest

from squall import _squall, _tools
from squall._program import exit_code
from squall.gen import coroutine
from squall.ioloop import IOLoop

__all__ = ["AsyncTestCase", "ExploreError", "Explored", "Step", "TestLoop", "explore", "gen_test", "replay"]

_Step = collections.namedtuple("Step", "text coroutine file line")


class Step(_Step):
    """One resume of one coroutine. `str` prints it: what went in, what came out, and where."""

    __slots__ = ()

    def __str__(self):
        return self.text


class TestLoop:
    """A loop on virtual time that runs one resume at a time. It is the current loop until it is closed.

    What is wrong with a test, such as a step when nothing can be resumed, is an `AssertionError` that shows what
    happened last and which coroutines wait.
    """

    __test__ = False

    def __init__(self):
        self._before = IOLoop.current(instance=False)
        self._tool = _squall.ToolLoop()
        made = []

        def prepare(io_loop):
            io_loop._adopt(self._tool)
            made.append(io_loop)

        with _tools.loops(prepare):
            self.io_loop = IOLoop(make_current=False)
        self.io_loop._set_current()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        """Closes the loop, and drops what is suspended on it."""
        IOLoop._set_no_current()
        self.io_loop.close()
        self._tool.close()
        if self._before is not None and not self._before._is_closed():
            self._before._set_current()

    def spawn(self, function, *args, **kwargs):
        """Calls `function`, whose coroutines start in steps of their own. Returns the Future of its result."""
        return self._tool.spawn(functools.partial(function, *args, **kwargs))

    def step(self):
        """Resumes one coroutine: the one whose turn it is. Returns the `Step`."""
        step = self.try_step()
        if step is None:
            waiting = "".join(f"\n  {wait}" for wait in self.waiting())
            raise AssertionError(f"no coroutine is left to be resumed{waiting}")
        return step

    def try_step(self):
        """Resumes one coroutine, if one can be resumed. Returns the `Step` or `None`."""
        step = self._tool.step()
        return None if step is None else Step(*step)

    def run_until_idle(self):
        """Runs until no coroutine can be resumed. The clock jumps from timer to timer."""
        self._tool.run_until_idle()

    def run_current(self):
        """Runs everything that is ready, while the clock stands still."""
        self._tool.run_current()

    def advance(self, seconds):
        """Moves the clock on, from timer to timer."""
        self._tool.advance(seconds)

    def autojump(self, on):
        """Sets whether the clock jumps to the next timer when nothing is ready. It does by default."""
        self._tool.autojump(on)

    def schedule(self, *names):
        """Sets which coroutines go next: `fetch` is the oldest ready call of `fetch`, `fetch#2` the second call."""
        self._tool.schedule(list(names))

    def assert_idle(self):
        """Asserts that no coroutine is ready or waiting."""
        self._tool.assert_idle()

    def now(self):
        """Returns the time in seconds since the loop was created."""
        return self._tool.now()

    def waiting(self):
        """Returns the waiting coroutines: for each a text with what it waits for and its line."""
        return self._tool.waiting()

    def trace(self, width=100):
        """Returns what happened so far, in columns."""
        return self._tool.trace(width)


class ExploreError(AssertionError):
    """An order in which a test fails. `schedule` repeats it by `replay`."""

    def __init__(self, message, schedule):
        super().__init__(message)
        self.schedule = schedule


Explored = collections.namedtuple("Explored", "orders summary")
Explored.__doc__ = "The result of an exploration in which no order failed: how many orders were tried."


def explore(test, *, preemptions=None, orders=None, steps=None, seed=None, allow=""):
    """Calls `test` once for each order in which its coroutines may run, each time on a new loop on virtual time.

    The test is a coroutine function, or a function that runs the loop itself. An order fails if the test raises, if its
    coroutines wait for each other for ever, or if an exception was raised that nobody retrieved. The bounds are those of
    `python -m squall explore`.

    Raises `ExploreError` for the shortest order that fails.
    """
    found = _squall.explore(
        lambda tool: _run_test(tool, test),
        preemptions=preemptions,
        orders=orders,
        steps=steps,
        seed=seed,
        allow=allow,
    )
    if found.problem is None:
        return Explored(found.orders, found.summary)
    if found.schedule:
        lines = [f"after {found.orders} orders; to repeat it:", f"  replay({found.schedule!r}, ..)", found.report]
    else:
        lines = ["not every order was tried; none of those that were tried fails", _LIMITS]
    raise ExploreError("\n".join([found.problem.rstrip(), *lines]), found.schedule)


_LIMITS = """\
say what is enough, and the test passes with that:
  explore(test, preemptions=2)     every order with at most 2 preemptions
  explore(test, orders=100_000)    a higher limit
  explore(test, seed=1)            1000 orders at random, from that seed"""


def replay(schedule, test):
    """Calls `test` once, in the order that a failed `explore` has named. Raises `AssertionError` if it fails."""
    problem = _squall.replay(schedule, lambda tool: _run_test(tool, test))
    if problem is not None:
        raise ExploreError(problem, schedule)


def _run_test(tool, test):
    adopted = []

    def prepare(io_loop):
        if adopted:
            _tools.use_virtual_time(io_loop)
        else:
            adopted.append(io_loop)
            io_loop._adopt(tool)
            _tools.use_own_tasks(io_loop)

    with _tools.loops(prepare):
        try:
            io_loop = IOLoop.current()
            if inspect.iscoroutinefunction(test) or getattr(test, "__tornado_coroutine__", False):
                io_loop.run_sync(test)
            else:
                test()
        except Exception as exception:
            problem = exit_code(exception)[1]
            exception.__traceback__ = None
            return problem
    return None


class AsyncTestCase(unittest.TestCase):
    """A test case with a loop of its own on virtual time, in place of `tornado.testing.AsyncTestCase`.

    A test is a function, an `async def`, or a coroutine with `@gen_test`. Nothing has to be waited for: an hour takes no
    time, and a test whose coroutines wait for ever fails at once, with the line of each.
    """

    def setUp(self):
        super().setUp()
        self.io_loop = self.get_new_ioloop()
        self.io_loop._set_current()
        self._stopped, self._waits, self._stop_arg = False, False, None

    def tearDown(self):
        IOLoop._set_no_current()
        self.io_loop.close()
        super().tearDown()

    def get_new_ioloop(self):
        """Creates the loop of a test. Subclasses may return another."""
        with _tools.loops(_tools.use_virtual_time):
            return IOLoop(make_current=False)

    def _callTestMethod(self, method):
        if inspect.iscoroutinefunction(method):
            self.io_loop.run_sync(method)
        elif method() is not None:
            raise TypeError(f"{method} returned something: a generator needs @gen_test")

    def stop(self, _arg=None, **kwargs):
        """Ends the `wait` that runs, or the next one, which returns the argument."""
        self._stop_arg = kwargs or _arg
        if self._waits:
            self.io_loop.stop()
        self._stopped = True

    def wait(self, condition=None, timeout=5):
        """Runs the loop until `stop` is called, and `condition` is true if it is given. Returns the argument of `stop`."""
        late = []
        timer = None
        if timeout is not None:

            def expire():
                late.append(True)
                self.io_loop.stop()

            timer = self.io_loop.call_later(timeout, expire)
        try:
            while not self._stopped or (condition is not None and not condition()):
                self._stopped, self._waits = False, True
                self.io_loop.start()
                self._waits = False
                if not (late or self._stopped):
                    raise self.failureException("nothing that is left can call stop")
                if late:
                    raise self.failureException(f"Async operation timed out after {timeout} seconds")
        finally:
            if timer is not None:
                self.io_loop.remove_timeout(timer)
        self._stopped, arg, self._stop_arg = False, self._stop_arg, None
        return arg


def gen_test(func=None, timeout=None):
    """Makes a test of a generator function or an `async def`: it runs to its end, for at most `timeout` virtual seconds."""

    def wrap(function):
        made = function if inspect.iscoroutinefunction(function) else coroutine(function)

        @functools.wraps(function)
        def test(self, *args, **kwargs):
            self.io_loop.run_sync(functools.partial(made, self, *args, **kwargs), timeout=timeout)

        # unittest looks at this, not at the function inside.
        del test.__wrapped__
        return test

    return wrap if func is None else wrap(func)
