"""Locks: the names of `tornado.locks`. The locks are squall's."""

# Tornado's module has some of these too, and programs use them by its name.
from squall import _squall, gen, ioloop
from squall.concurrent import Future, future_set_result_unless_cancelled

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]


class Condition(_squall.Condition):
    """Lets coroutines wait until they are notified."""


class Event(_squall.Event):
    """A flag that coroutines can wait for."""


class _Permits:
    """What the semaphores and `Lock` have in common."""

    _with = "'async with'"

    def __enter__(self):
        raise RuntimeError(f"Use {self._with} instead of 'with' for {type(self).__name__}")

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.__enter__()

    async def __aenter__(self):
        await self.acquire()

    async def __aexit__(self, exc_type, exc_val, exc_tb):
        self.release()


def _permits(value):
    if value < 0:
        raise ValueError("semaphore initial value must be >= 0")
    return value


class Semaphore(_Permits, _squall.Semaphore):
    """Lets at most `value` coroutines in at once."""

    def __new__(cls, value=1):
        return super().__new__(cls, _permits(value))

    def __init__(self, value=1):
        super().__init__()


class BoundedSemaphore(_Permits, _squall.BoundedSemaphore):
    """A semaphore that may not be released more often than it was acquired."""

    def __new__(cls, value=1):
        return super().__new__(cls, _permits(value))

    def __init__(self, value=1):
        super().__init__()


class Lock(_Permits, _squall.Lock):
    """Lets one coroutine in at once."""
