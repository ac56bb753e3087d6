"""Locks: the names of `tornado.locks`. The locks are squall's."""

# Tornado's module has some of these too, and programs use them by its name.
from squall import _squall, gen, ioloop
from squall.concurrent import Future, future_set_result_unless_cancelled
from squall.gen import _seconds_until

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]


class Condition(_squall.Condition):
    """Lets coroutines wait until they are notified."""

    def wait(self, timeout=None):
        """Returns a Future of whether there was a notification before the deadline."""
        return self._wait(None if timeout is None else _seconds_until(timeout))


class Event(_squall.Event):
    """A flag that coroutines can wait for."""

    def wait(self, timeout=None):
        """Returns a Future that is done when the flag is set."""
        return self._wait(None if timeout is None else _seconds_until(timeout))


class _ReleasingContextManager:
    """Releases a lock at the end of a `with`: `with (yield lock.acquire()):`."""

    def __init__(self, obj):
        self._obj = obj

    def __enter__(self):
        pass

    def __exit__(self, exc_type, exc_val, exc_tb):
        self._obj.release()


class _Permits:
    """What the semaphores and `Lock` have in common."""

    _with = "'async with'"

    def acquire(self, timeout=None):
        """Returns a Future that is done when the caller is let in."""
        return self._acquire(_ReleasingContextManager, None if timeout is None else _seconds_until(timeout))

    def release(self):
        """Lets the next one in."""
        self._release()

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
