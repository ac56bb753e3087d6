"""`time.time` of a program that runs on virtual time."""

import contextlib
import time

from squall.ioloop import IOLoop

# So many calls at one virtual time are more than a program needs that does not wait for the time to pass.
_MANY = 1000


@contextlib.contextmanager
def of_the_loop():
    """Lets `time.time` return the time of the current loop where that is virtual, as `IOLoop.time` does."""
    before = time.time, time.time_ns
    clock = _Clock(time.time)
    time.time, time.time_ns = clock.time, clock.time_ns
    try:
        yield
    finally:
        time.time, time.time_ns = before


class _Clock:
    """Virtual time stands still while a callback runs. For one that asks until the time has passed, it goes on."""

    def __init__(self, real):
        self._real = real
        self._now, self._calls, self._since = None, 0, 0.0

    def time(self):
        io_loop = IOLoop.current(instance=False)
        if io_loop is None or io_loop._epoch is None:
            return self._real()
        now = io_loop.time()
        if now != self._now:
            self._now, self._calls = now, 0
        self._calls += 1
        if self._calls < _MANY:
            return now
        if self._calls == _MANY:
            self._since = self._real()
        return now + self._real() - self._since

    def time_ns(self):
        return int(self.time() * 1e9)
