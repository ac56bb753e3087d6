"""Coroutines: the names of `tornado.gen`, and `Task`, which Tornado removed in 6.0."""

import asyncio
import datetime
import functools
import types
from concurrent import futures
from functools import singledispatch
from inspect import isawaitable
from typing import Any

from squall import _squall
from squall._log import app_log
from squall._squall import Future

# Tornado's module has each but `copy_result` too, and programs use them by its name.
from squall.concurrent import (
    chain_future,
    copy_result,
    future_add_done_callback,
    future_set_exc_info,
    future_set_result_unless_cancelled,
    is_future,
)

__all__ = [
    "BadYieldError",
    "Deadlock",
    "KeyReuseError",
    "LeakedCallbackError",
    "Multi",
    "Return",
    "ReturnValueIgnoredError",
    "Task",
    "TimeoutError",
    "UnknownKeyError",
    "WaitIterator",
    "convert_yielded",
    "coroutine",
    "is_coroutine_function",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "sleep",
    "with_timeout",
]

TimeoutError = asyncio.TimeoutError
# The annotation of Tornado's other modules.
_Yieldable = Any


class KeyReuseError(Exception):
    """Kept for programs that name it."""


class UnknownKeyError(Exception):
    """Kept for programs that name it."""


class LeakedCallbackError(Exception):
    """Kept for programs that name it."""


class ReturnValueIgnoredError(Exception):
    """Kept for programs that name it."""


class BadYieldError(Exception):
    """Raised at a `yield` of something that cannot be waited for."""


class Deadlock(RuntimeError):
    """Coroutines wait, and nothing can wake the loop any more. The message names each of them with its line."""


class Return(Exception):
    """Ends a coroutine with a value: `raise gen.Return(value)`, which is `return value`."""

    def __init__(self, value=None):
        super().__init__()
        self.value = value
        self.args = (value,)


def coroutine(func):
    """Makes a generator function a coroutine: a call starts it at once and returns the Future of its result."""
    decorated = functools.update_wrapper(_squall.CoroutineFunction(func), func)
    decorated.__tornado_coroutine__ = True
    return decorated


def is_coroutine_function(func):
    """Returns whether `func` was decorated with `coroutine`."""
    return getattr(func, "__tornado_coroutine__", False)


moment = _squall.moment()
_null_future = Future()
_null_future.set_result(None)


@singledispatch
def _by_registry(yielded):
    if yielded is None or yielded is moment:
        return moment
    if is_future(yielded):
        return yielded
    if isinstance(yielded, (list, dict, types.CoroutineType)):
        return _squall.convert(yielded)
    if isawaitable(yielded):
        return _squall.task(_awaiting(yielded))
    raise BadYieldError(f"yielded unknown object {yielded!r}")


def convert_yielded(yielded):
    """Converts something that may be yielded into a Future. Its registry takes further types."""
    # The most frequent kind is found without the registry, unless something was registered that may accept it.
    if type(yielded) is types.CoroutineType and len(_registry) == 1:
        return _squall.convert(yielded)
    return _by_registry(yielded)


_registry = _by_registry.registry
convert_yielded.register = _by_registry.register
convert_yielded.dispatch = _by_registry.dispatch
convert_yielded.registry = _registry


async def _awaiting(awaitable):
    return await awaitable


def _convert(yielded):
    """Converts something into a Future of this package: the extension calls this for what it does not know."""
    return _as_own_future(convert_yielded(yielded))


def _as_own_future(future):
    if isinstance(future, Future):
        return future
    if isinstance(future, futures.Future):
        from squall.ioloop import IOLoop

        converted = Future()
        if future.done():
            copy_result(future, converted)
        else:
            ticket = IOLoop.current()._expect(functools.partial(copy_result, future, converted))
            future.add_done_callback(ticket.arrive)
        return converted
    if getattr(future, "_asyncio_future_blocking", None) is not None:
        return _squall.foreign(future)
    raise BadYieldError(f"yielded unknown object {future!r}")


def multi(children, quiet_exceptions=()):
    """Returns a Future of the results of a list or dict of things that may be yielded."""
    return _squall.multi(children, quiet_exceptions or None)


multi_future = Multi = multi


def maybe_future(x):
    """Returns `x` if it is a Future, else a Future that is done with `x`."""
    if is_future(x):
        return x
    future = Future()
    future.set_result(x)
    return future


def sleep(duration):
    """Returns a Future that is done after `duration` seconds."""
    return _squall.sleep(duration)


def _seconds_until(timeout):
    """Converts a deadline, a time of `IOLoop.time` or a `timedelta` from now, into seconds from now."""
    if isinstance(timeout, datetime.timedelta):
        return timeout.total_seconds()
    from squall.ioloop import IOLoop

    return timeout - IOLoop.current().time()


def with_timeout(timeout, future, quiet_exceptions=(), *, message=None):
    """Returns a Future with the result of `future`, which fails with `TimeoutError` at the deadline."""
    return _squall.with_timeout(_seconds_until(timeout), _convert(future), quiet_exceptions or None, message)


def Task(func, *args, **kwargs):
    """Returns a Future of what `func` passes to its argument `callback`."""
    future = Future()

    def callback(*results, **named):
        if not future.done():
            result = results[0] if len(results) == 1 and not named else (results, named) if results or named else None
            future.set_result(result)

    func(*args, callback=callback, **kwargs)
    return future


class WaitIterator(_squall.WaitIterator):
    """Returns the results of several Futures as they finish."""

    def __new__(cls, *args, **kwargs):
        if args and kwargs:
            raise ValueError("You must provide args or kwargs, not both")
        return super().__new__(cls, [_convert(future) for future in kwargs.values() or args])

    def __init__(self, *args, **kwargs):
        self._futures = list(kwargs.values()) or list(args)
        self._keys = list(kwargs) or None
        self._finished = False

    @property
    def current_index(self):
        """The position or the name of the Future whose result came last."""
        index = None if self._finished else self._index()
        return self._keys[index] if self._keys and index is not None else index

    @property
    def current_future(self):
        """The Future whose result came last."""
        index = None if self._finished else self._index()
        return None if index is None else self._futures[index]

    def done(self):
        """Returns whether there are no more results."""
        self._finished = self._is_done()
        return self._finished

    def next(self):
        """Returns a Future of the next result."""
        return self._next()

    def __aiter__(self):
        return self

    def __anext__(self):
        if self.done():
            raise StopAsyncIteration()
        return self.next()


def __getattr__(name):
    # Tornado's module has imported it. Here the loop imports this one.
    if name == "IOLoop":
        from squall.ioloop import IOLoop

        return IOLoop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
