"""The loop: the names of `tornado.ioloop`."""

import asyncio
import atexit
import concurrent.futures
import datetime
import functools
import numbers
import os
import signal
import socket
import sys
import threading
import time
import warnings
import weakref
from asyncio import events
from typing import Protocol

from squall import _squall
from squall._log import app_log

# Tornado's module has each but `copy_result` too, and programs use them by its name.
from squall.concurrent import (
    Future,
    chain_future,
    copy_result,
    future_add_done_callback,
    future_set_exc_info,
    is_future,
)
from squall.gen import TimeoutError

__all__ = ["IOLoop", "PeriodicCallback", "TimeoutError"]

class _Selectable(Protocol):
    """What a descriptor may be given as. Tornado's other modules name it."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


_local = threading.local()
_loops = weakref.WeakSet()
# A tool sets this: it is called with each loop that is created, before anything uses that.
_prepare = None


class IOLoop(_squall.Loop):
    """The event loop. It belongs to the thread that first uses it; other threads may only call `add_callback`."""

    NONE = 0
    READ = 0x001
    WRITE = 0x004
    ERROR = 0x018

    _configured = None

    def __new__(cls, *args, **kwargs):
        if cls is IOLoop:
            cls = IOLoop.configured_class()
        return super().__new__(cls)

    def __init__(self, make_current=True, **kwargs):
        self.initialize(make_current=make_current, **kwargs)

    def initialize(self, make_current=True, asyncio_loop=None):
        """Prepares the loop. Subclasses may replace this in place of `__init__`."""
        from squall.platform.asyncio import AsyncioLoop

        if asyncio_loop is None:
            asyncio_loop = AsyncioLoop(self)
        elif isinstance(asyncio_loop, AsyncioLoop):
            asyncio_loop.take(self)
        else:
            raise RuntimeError("asyncio's own loop cannot run squall's coroutines: call squall.install() first")
        self.asyncio_loop = self.selector_loop = asyncio_loop
        self.handlers = {}
        self._executor = None
        # The time at which a virtual clock began, and the ports on which the program listens.
        self._epoch, self._ports = None, set()
        _loops.add(self)
        if _prepare is not None:
            _prepare(self)
            self._epoch = time.time() if self._is_virtual() else None
        if make_current:
            self._set_current()

    # The current loop.

    @classmethod
    def configure(cls, impl, **kwargs):
        """Sets the class of which `IOLoop()` makes an instance."""
        if isinstance(impl, str):
            module, _, name = impl.rpartition(".")
            module = module.replace("tornado.platform", "squall.platform")
            impl = getattr(__import__(module, fromlist=[name]), name)
        if impl is not None and not issubclass(impl, IOLoop):
            raise RuntimeError("only AsyncIOLoop is allowed when asyncio is available")
        IOLoop._configured = impl

    @classmethod
    def configurable_base(cls):
        """Returns the class that `configure` configures."""
        return IOLoop

    @classmethod
    def configurable_default(cls):
        """Returns the class of which `IOLoop()` makes an instance unless another one is configured."""
        from squall.platform.asyncio import AsyncIOLoop

        return AsyncIOLoop

    @classmethod
    def configured_class(cls):
        """Returns the class of which `IOLoop()` makes an instance."""
        return IOLoop._configured or IOLoop.configurable_default()

    @staticmethod
    def instance():
        """Returns the current loop. An older name of `current`."""
        return IOLoop.current()

    @staticmethod
    def current(instance=True):
        """Returns the loop that runs on this thread, or the current one. Creates one if there is none."""
        running = events._get_running_loop()
        if running is not None:
            io_loop = getattr(running, "io_loop", None)
            if io_loop is None and instance:
                raise RuntimeError(
                    "asyncio's own loop is running: call squall.install() before asyncio.run, or run the program by "
                    "IOLoop.current().run_sync"
                )
            return io_loop
        current = getattr(_local, "io_loop", None)
        if current is not None and current._is_closed():
            current = None
        if current is None and instance:
            from squall.platform.asyncio import AsyncIOMainLoop

            current = AsyncIOMainLoop(make_current=True)
        return current

    def make_current(self):
        """Makes this the current loop of the thread."""
        warnings.warn("make_current is deprecated; start the event loop first", DeprecationWarning, stacklevel=2)
        self._set_current()

    def install(self):
        """Makes this the current loop of the thread. An older name of `make_current`."""
        self._set_current()

    def _set_current(self):
        # What waits next outside of a run binds the loop to this thread. Until then, another one may start it.
        _local.io_loop = self
        _squall.Loop._clear_current()

    @staticmethod
    def clear_current():
        """Lets the thread have no current loop."""
        warnings.warn("clear_current is deprecated", DeprecationWarning, stacklevel=2)
        IOLoop._set_no_current()

    clear_instance = clear_current

    @staticmethod
    def _set_no_current():
        _local.io_loop = None
        _squall.Loop._clear_current()

    # Runs.

    def run_sync(self, func, timeout=None):
        """Calls `func`, and runs the loop until the coroutine that it returns is done. Returns its result."""
        return self._as_running(self._run_sync, func, timeout)

    def start(self):
        """Runs the loop until `stop`."""
        self._as_running(self._start)

    def _as_running(self, run, *args):
        """Calls `run`, as the running loop of asyncio, and with Ctrl-C able to end it."""
        if self._is_closed():
            raise RuntimeError("Event loop is closed")
        self._bind()
        if self._is_running():
            raise RuntimeError("This event loop is already running")
        if events._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        before = getattr(_local, "io_loop", None)
        _local.io_loop = self
        events._set_running_loop(self.asyncio_loop)
        asyncio_before = _squall._set_asyncio_loop(self.asyncio_loop)
        generators_before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self.asyncio_loop._asyncgen_firstiter_hook,
            finalizer=self.asyncio_loop._asyncgen_finalizer_hook,
        )
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            fd, waker_before = _squall._wake_by_signals(self._waker())
            fd_before = signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
        try:
            return run(*args)
        finally:
            if is_main:
                signal.set_wakeup_fd(fd_before)
                _squall._wake_by_signals(waker_before)
            sys.set_asyncgen_hooks(*generators_before)
            _squall._set_asyncio_loop(asyncio_before)
            events._set_running_loop(None)
            _local.io_loop = before

    def close(self, all_fds=False):
        """Closes the loop: drops every callback, timer and suspended coroutine."""
        for fd, (obj, _) in list(self.handlers.items()):
            self.remove_handler(fd)
            if all_fds:
                self.close_fd(obj)
        if getattr(_local, "io_loop", None) is self:
            IOLoop._set_no_current()
        self._close()
        self.asyncio_loop.end()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    # Callbacks and timers.

    def time(self):
        """Returns the time that deadlines are measured by: that of `time.time`."""
        return time.time() if self._epoch is None else self._epoch + self._now()

    def add_timeout(self, deadline, callback, *args, **kwargs):
        """Calls `callback` at the deadline: a time of `time`, or a `timedelta` from now."""
        if isinstance(deadline, numbers.Real):
            return self.call_at(deadline, callback, *args, **kwargs)
        if isinstance(deadline, datetime.timedelta):
            return self._call_later(deadline.total_seconds(), callback, *args, **kwargs)
        raise TypeError("Unsupported deadline %r" % deadline)

    def call_later(self, delay, callback, *args, **kwargs):
        """Calls `callback` after `delay` seconds."""
        return self._call_later(delay, callback, *args, **kwargs)

    def call_at(self, when, callback, *args, **kwargs):
        """Calls `callback` at the time `when`."""
        return self._call_later(when - self.time(), callback, *args, **kwargs)

    def spawn_callback(self, callback, *args, **kwargs):
        """Calls `callback` in the next turn, and runs the coroutine that it returns."""
        self.add_callback(callback, *args, **kwargs)

    def add_callback_from_signal(self, callback, *args, **kwargs):
        """Calls `callback` in the next turn. An older way to do so from a signal handler."""
        warnings.warn("add_callback_from_signal is deprecated", DeprecationWarning, stacklevel=2)
        self.add_callback(callback, *args, **kwargs)

    def add_future(self, future, callback):
        """Calls `callback` with `future` in the turn after that is done."""
        if isinstance(future, concurrent.futures.Future):
            future_add_done_callback(future, lambda future: self.add_callback(callback, future))
        else:
            assert is_future(future)
            future.add_done_callback(lambda future: self._run_callback(functools.partial(callback, future)))

    def _run_callback(self, callback):
        try:
            callback()
        except asyncio.CancelledError:
            pass
        except Exception:
            app_log.error("Exception in callback %r", callback, exc_info=True)

    def run_in_executor(self, executor, func, *args):
        """Calls `func` on a thread of the executor, and returns the Future of its result."""
        if executor is None:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) * 5)
            executor = self._executor
        submitted, future = executor.submit(func, *args), Future()
        ticket = self._expect(functools.partial(copy_result, submitted, future))
        submitted.add_done_callback(ticket.arrive)
        return future

    def set_default_executor(self, executor):
        """Sets the executor for `run_in_executor(None, ..)`."""
        self._executor = executor

    # Descriptors.

    def split_fd(self, fd):
        """Returns the number of a descriptor, and the object that was given for it."""
        return (fd, fd) if isinstance(fd, int) else (fd.fileno(), fd)

    def add_handler(self, fd, handler, events):
        """Calls `handler` with the descriptor and the events whenever it is ready."""
        number, obj = self.split_fd(fd)
        if number in self.handlers:
            raise ValueError("fd %s added twice" % number)
        self._add_handler(number, functools.partial(handler, obj), events)
        self.handlers[number] = (obj, handler)
        self._know(number)

    def update_handler(self, fd, events):
        """Changes the events that a descriptor is watched for."""
        number = self.split_fd(fd)[0]
        self._update_handler(number, events)
        self._know(number)

    def _know(self, number):
        """Lets a virtual clock wait for a descriptor, if its other end is outside of the program."""
        if self._epoch is not None:
            self._wait_for_fd(number, self._is_outside(number))

    def _is_outside(self, number):
        try:
            sock = socket.socket(fileno=os.dup(number))
        except OSError:
            return True
        with sock:
            is_ip = sock.family in (socket.AF_INET, socket.AF_INET6)
            try:
                here = sock.getsockname()
                if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    if is_ip:
                        self._ports.add(here[1])
                    return False
                there = sock.getpeername()
            except OSError:
                # It is being connected. A server of the program would be there at once.
                return True
            return not is_ip or self._ports.isdisjoint((here[1], there[1]))

    def remove_handler(self, fd):
        """Stops watching a descriptor."""
        number = self.split_fd(fd)[0]
        if self.handlers.pop(number, None) is not None:
            self._remove_handler(number)

    def close_fd(self, fd):
        """Closes a descriptor."""
        try:
            os.close(fd) if isinstance(fd, int) else fd.close()
        except OSError:
            pass

    def _register_task(self, future):
        pass

    _unregister_task = _register_task


class PeriodicCallback(_squall.PeriodicCallback):
    """Calls a function every `callback_time` milliseconds."""

    def __new__(cls, callback, callback_time, jitter=0):
        return super().__new__(cls, callback, _milliseconds(callback_time) / 1000, jitter)

    def __init__(self, callback, callback_time, jitter=0):
        self.callback = callback
        self.callback_time = _milliseconds(callback_time)
        self.jitter = jitter

    def start(self):
        """Starts the calls on the current loop."""
        IOLoop.current()
        self._start()


def _milliseconds(callback_time):
    if isinstance(callback_time, datetime.timedelta):
        return callback_time / datetime.timedelta(milliseconds=1)
    return callback_time


@atexit.register
def _close_all():
    """Closes the loops while the interpreter is whole, so that suspended coroutines run their `finally`."""
    for io_loop in list(_loops):
        if not io_loop._is_closed() and not io_loop._is_running():
            try:
                io_loop.close()
            except RuntimeError:
                pass
