"""Futures: the names of `tornado.concurrent`."""

import asyncio
import functools
import sys
from concurrent import futures

from squall._log import app_log
from squall._squall import Future

__all__ = [
    "DummyExecutor",
    "FUTURES",
    "Future",
    "ReturnValueIgnoredError",
    "chain_future",
    "dummy_executor",
    "future_add_done_callback",
    "future_set_exc_info",
    "future_set_exception_unless_cancelled",
    "future_set_result_unless_cancelled",
    "is_future",
    "run_on_executor",
]

FUTURES = (futures.Future, Future, asyncio.Future)


class ReturnValueIgnoredError(Exception):
    """Kept for programs that name it."""


def is_future(x):
    """Returns whether `x` is a Future: of squall, of asyncio, or of `concurrent.futures`."""
    return isinstance(x, FUTURES)


class DummyExecutor(futures.Executor):
    """An executor that calls functions at once."""

    def submit(self, fn, /, *args, **kwargs):
        future = futures.Future()
        try:
            future_set_result_unless_cancelled(future, fn(*args, **kwargs))
        except Exception:
            future_set_exc_info(future, sys.exc_info())
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass


dummy_executor = DummyExecutor()


def run_on_executor(*args, **kwargs):
    """Lets a method run on the executor that is the attribute `executor` of its object."""

    def decorate(method):
        name = kwargs.get("executor", "executor")

        @functools.wraps(method)
        def submit(self, *args, **kwargs):
            future = Future()
            chain_future(getattr(self, name).submit(method, self, *args, **kwargs), future)
            return future

        return submit

    if args and kwargs:
        raise ValueError("cannot combine positional and keyword args")
    if len(args) == 1:
        return decorate(args[0])
    if args:
        raise ValueError("expected 1 argument, got %d" % len(args))
    return decorate


def chain_future(a, b):
    """Copies the result of `a` to `b`, once `a` is done, unless `b` is done before."""
    copy = functools.partial(_copy_to, b)
    if isinstance(a, futures.Future):
        from squall.ioloop import IOLoop

        IOLoop.current().add_future(a, copy)
    else:
        future_add_done_callback(a, copy)


def copy_result(a, b):
    """Copies the result of `a`, which is done, to `b`, unless that is done."""
    if b.done():
        return
    if a.cancelled():
        b.cancel()
        return
    exception = a.exception()
    if exception is not None:
        b.set_exception(exception)
    else:
        b.set_result(a.result())


def _copy_to(b, a):
    copy_result(a, b)


def future_set_result_unless_cancelled(future, value):
    """Resolves a Future, if it was not cancelled."""
    if not future.cancelled():
        future.set_result(value)


def future_set_exception_unless_cancelled(future, exc):
    """Fails a Future. If it was cancelled, logs the exception instead."""
    if not future.cancelled():
        future.set_exception(exc)
    else:
        app_log.error("Exception after Future was cancelled", exc_info=exc)


def future_set_exc_info(future, exc_info):
    """Fails a Future with what `sys.exc_info()` returned."""
    if exc_info[1] is None:
        raise Exception("future_set_exc_info called with no exception")
    future_set_exception_unless_cancelled(future, exc_info[1])


def future_add_done_callback(future, callback):
    """Calls `callback` with the Future when it is done; at once if it already is."""
    if future.done():
        callback(future)
    else:
        future.add_done_callback(callback)
