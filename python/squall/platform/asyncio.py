"""asyncio on squall's loop: the names of `tornado.platform.asyncio`, and the loop that asyncio sees."""

import asyncio
import concurrent.futures
import functools
import os
import selectors
import signal
import sys
import threading
import time
import warnings
import weakref
from asyncio import events

from squall.gen import convert_yielded
from squall.ioloop import IOLoop

__all__ = [
    "AddThreadSelectorEventLoop",
    "AnyThreadEventLoopPolicy",
    "AsyncIOLoop",
    "AsyncIOMainLoop",
    "AsyncioLoop",
    "BaseAsyncIOLoop",
    "EventLoopPolicy",
    "to_asyncio_future",
    "to_tornado_future",
]


class BaseAsyncIOLoop(IOLoop):
    """What the classes below have in common. Each `IOLoop` has a loop that asyncio sees, `asyncio_loop`."""


class AsyncIOLoop(BaseAsyncIOLoop):
    """A loop of its own: what `IOLoop()` makes."""


class AsyncIOMainLoop(BaseAsyncIOLoop):
    """The loop of the thread: `AsyncIOMainLoop().install()`."""


def to_tornado_future(asyncio_future):
    """Returns its argument: Futures of asyncio can be yielded."""
    return asyncio_future


def to_asyncio_future(tornado_future):
    """Converts what can be yielded into a Future that asyncio can await."""
    return convert_yielded(tornado_future)


class AsyncioLoop(asyncio.SelectorEventLoop):
    """The loop that asyncio sees: its futures, tasks, transports, streams and subprocesses run on squall's.

    It is asyncio's own selector loop, but for what runs it: callbacks and timers are squall's, and so are descriptors,
    which the loop takes for those of a selector.
    """

    def __init__(self, io_loop=None):
        self.io_loop = io_loop
        self._taken = io_loop is not None
        super().__init__(_Descriptors(self))
        if io_loop is None:
            AsyncIOLoop(make_current=False, asyncio_loop=self)
            self._taken = False

    def take(self, io_loop):
        """Becomes the asyncio side of `io_loop`, if it is not that of another one yet."""
        if self._taken:
            raise RuntimeError(f"IOLoop {self.io_loop} already associated with asyncio loop {self}")
        self.io_loop, self._taken = io_loop, True

    def __repr__(self):
        state = "closed" if self.is_closed() else "running" if self.is_running() else "idle"
        return f"<{type(self).__name__} {state}>"

    # asyncio closes a loop that is dropped. squall's frees itself, on the thread that it belongs to.
    def __del__(self):
        pass

    # asyncio wakes its selector by a pair of sockets. squall's loop is woken otherwise.
    def _make_self_pipe(self):
        pass

    _close_self_pipe = _write_to_self = _make_self_pipe

    # Runs.

    def run_forever(self):
        self._check_closed()
        self.io_loop.start()

    def stop(self):
        if self.io_loop is not None:
            self.io_loop.stop()

    def is_running(self):
        return self.io_loop is not None and self.io_loop._is_running()

    def close(self):
        if self.io_loop is not None:
            self.io_loop.close()

    def end(self):
        """Closes what asyncio has of the loop, once squall's is closed. The two let go of each other."""
        self.io_loop = None
        super().close()

    # Callbacks and timers.

    def time(self):
        return time.monotonic() if self.io_loop is None else self.io_loop._now()

    def call_soon(self, callback, *args, context=None):
        if self.io_loop is None:
            self._check_closed()
        handle = events.Handle(callback, args, self, context)
        self.io_loop._call_soon(handle._run)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay, callback, *args, context=None):
        return self._call_at(self.time() + delay, delay, callback, args, context)

    def call_at(self, when, callback, *args, context=None):
        return self._call_at(when, when - self.time(), callback, args, context)

    def _call_at(self, when, delay, callback, args, context):
        self._check_closed()
        handle = events.TimerHandle(when, callback, args, self, context)
        # asyncio only asks whether this is true; the loop below asks for the timer to remove.
        handle._scheduled = self.io_loop._call_later(delay, handle._run)
        return handle

    def _timer_handle_cancelled(self, handle):
        if handle._scheduled and self.io_loop is not None:
            self.io_loop.remove_timeout(handle._scheduled)
        handle._scheduled = False

    # Threads and signals.

    def run_in_executor(self, executor, func, *args):
        self._check_closed()
        if executor is None:
            self._check_default_executor()
            if self._default_executor is None:
                self._default_executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio")
            executor = self._default_executor
        submitted, future = executor.submit(func, *args), self.create_future()
        # This also makes asyncio's exceptions of those of `concurrent.futures`.
        ticket = self.io_loop._expect(functools.partial(asyncio.futures._copy_future_state, submitted, future))
        submitted.add_done_callback(ticket.arrive)
        return future

    async def shutdown_default_executor(self, timeout=None):
        self._executor_shutdown_called = True
        if self._default_executor is None:
            return
        # A thread that the loop waits for, as it does for those of the executor.
        done = self.create_future()
        ticket = self.io_loop._expect(lambda: done.done() or done.set_result(None))

        def shut_down():
            self._default_executor.shutdown(wait=True)
            ticket.arrive()

        thread = threading.Thread(target=shut_down)
        thread.start()
        if timeout is None:
            await done
        elif not (await asyncio.wait([done], timeout=timeout))[0]:
            warnings.warn(f"The executor did not end its threads within {timeout} seconds", RuntimeWarning)
            self._default_executor.shutdown(wait=False)
            return
        thread.join()

    def add_signal_handler(self, sig, callback, *args):
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("signal handlers are set on the main thread")
        self._signal_handlers.setdefault(sig, signal.getsignal(sig))
        signal.signal(sig, lambda _number, _frame: self.call_soon_threadsafe(callback, *args))

    def remove_signal_handler(self, sig):
        before = self._signal_handlers.pop(sig, None)
        if before is None:
            return False
        signal.signal(sig, before)
        return True


class _Descriptors(selectors._BaseSelectorImpl):
    """What asyncio takes for its selector: squall's loop watches the descriptors, and calls their readers and writers."""

    def __init__(self, asyncio_loop):
        super().__init__()
        # The selector is a part of the loop.
        self._loop = weakref.proxy(asyncio_loop)

    def register(self, fileobj, events, data=None):
        key = super().register(fileobj, events, data)
        try:
            self._loop.io_loop.add_handler(key.fd, self._ready, _to_io_loop(events))
        except BaseException:
            super().unregister(fileobj)
            raise
        return key

    def modify(self, fileobj, events, data=None):
        key = self.get_key(fileobj)
        if events != key.events:
            self._loop.io_loop.update_handler(key.fd, _to_io_loop(events))
        changed = key._replace(events=events, data=data)
        self._fd_to_key[key.fd] = changed
        return changed

    def unregister(self, fileobj):
        key = super().unregister(fileobj)
        self._loop.io_loop.remove_handler(key.fd)
        return key

    def select(self, timeout=None):
        return []

    def _ready(self, fd, ready):
        for io_loop_event, position in (IOLoop.READ, 0), (IOLoop.WRITE, 1):
            # The reader may have changed what is watched.
            key = self._fd_to_key.get(fd)
            handle = key.data[position] if key is not None and ready & io_loop_event else None
            if handle is not None and not handle.cancelled():
                handle._run()


def _to_io_loop(events):
    reads, writes = events & selectors.EVENT_READ, events & selectors.EVENT_WRITE
    return (IOLoop.READ if reads else 0) | (IOLoop.WRITE if writes else 0)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _Policy = asyncio.DefaultEventLoopPolicy


if sys.version_info < (3, 12):

    class _ChildWatcher(asyncio.ThreadedChildWatcher):
        """Waits for child processes by descriptors, if the system has them, as asyncio does since Python 3.12.

        A loop on virtual time knows of a descriptor that it watches, and not of a thread that waits.
        """

        def add_child_handler(self, pid, callback, *args):
            try:
                pidfd = os.pidfd_open(pid)
            except (AttributeError, OSError):
                return super().add_child_handler(pid, callback, *args)
            loop = events.get_running_loop()
            loop.add_reader(pidfd, self._ended, loop, pidfd, pid, callback, args)

        def _ended(self, loop, pidfd, pid, callback, args):
            loop.remove_reader(pidfd)
            os.close(pidfd)
            try:
                exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except ChildProcessError:
                # Something else has waited for it. asyncio's watchers say this, too.
                exit_code = 255
            callback(pid, exit_code, *args)


class EventLoopPolicy(_Policy):
    """Lets asyncio create squall's loops: `asyncio.run` and `asyncio.get_event_loop` use them."""

    def new_event_loop(self):
        return AsyncioLoop()

    def get_event_loop(self):
        current = IOLoop.current(instance=False)
        return super().get_event_loop() if current is None else current.asyncio_loop

    if sys.version_info < (3, 12):

        def _init_watcher(self):
            self._watcher = _ChildWatcher()

    def set_event_loop(self, loop):
        super().set_event_loop(loop)
        if isinstance(loop, AsyncioLoop) and not loop.is_closed():
            loop.io_loop._set_current()
        else:
            IOLoop._set_no_current()


class AnyThreadEventLoopPolicy(EventLoopPolicy):
    """Lets each thread have a loop as soon as it asks for one, and not the main thread alone."""

    def get_event_loop(self):
        try:
            return super().get_event_loop()
        except RuntimeError:
            self.set_event_loop(self.new_event_loop())
            return super().get_event_loop()


class AddThreadSelectorEventLoop:
    """Returns its argument: squall's loop watches descriptors itself, on each system."""

    def __new__(cls, real_loop):
        return real_loop
