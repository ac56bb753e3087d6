"""asyncio on squall's loop: the names of `tornado.platform.asyncio`, and the loop that asyncio sees."""

import asyncio
import concurrent.futures
import functools
import signal
import socket
import threading
import warnings
from asyncio import events

from squall._log import asyncio_log
from squall.gen import convert_yielded
from squall.ioloop import IOLoop

__all__ = [
    "AddThreadSelectorEventLoop",
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


class AsyncioLoop(asyncio.AbstractEventLoop):
    """The loop that asyncio sees: `asyncio.sleep`, `asyncio.Future`, `asyncio.Task` and the like run on squall's."""

    def __init__(self, io_loop=None):
        self.io_loop = io_loop
        self._taken = io_loop is not None
        self._debug = False
        self._exception_handler = None
        self._task_factory = None
        self._executor = None
        self._signal_handlers = {}
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

    # Runs.

    def run_forever(self):
        self.io_loop.start()

    def run_until_complete(self, future):
        self._check_closed()
        is_new = not asyncio.isfuture(future)
        future = asyncio.ensure_future(future, loop=self)
        if is_new:
            future._log_destroy_pending = False
        stop = lambda _future: self.io_loop.stop()
        future.add_done_callback(stop)
        try:
            self.io_loop.start()
        finally:
            future.remove_done_callback(stop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()

    def stop(self):
        self.io_loop.stop()

    def is_running(self):
        return self.io_loop._is_running()

    def is_closed(self):
        return self.io_loop._is_closed()

    def close(self):
        if not self.is_closed():
            for number in list(self._signal_handlers):
                self.remove_signal_handler(number)
            self.io_loop.close()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    def _check_closed(self):
        if self.is_closed():
            raise RuntimeError("Event loop is closed")

    async def shutdown_asyncgens(self):
        pass

    async def shutdown_default_executor(self, timeout=None):
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)

    # Callbacks and timers.

    def time(self):
        return self.io_loop._now()

    def call_soon(self, callback, *args, context=None):
        self._check_closed()
        handle = events.Handle(callback, args, self, context)
        self.io_loop._call_soon(handle._run)
        return handle

    def call_soon_threadsafe(self, callback, *args, context=None):
        return self.call_soon(callback, *args, context=context)

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
        if handle._scheduled:
            self.io_loop.remove_timeout(handle._scheduled)
            handle._scheduled = False

    # Futures and tasks.

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coro, *, name=None, context=None, **kwargs):
        self._check_closed()
        if self._task_factory is not None:
            return self._task_factory(self, coro, **({} if context is None else {"context": context}))
        if context is not None:
            kwargs["context"] = context
        return asyncio.Task(coro, loop=self, name=name, **kwargs)

    def set_task_factory(self, factory):
        self._task_factory = factory

    def get_task_factory(self):
        return self._task_factory

    # Threads, names, descriptors.

    def run_in_executor(self, executor, func, *args):
        self._check_closed()
        if executor is None:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio")
            executor = self._executor
        submitted, future = executor.submit(func, *args), self.create_future()
        ticket = self.io_loop._expect(functools.partial(_copy, submitted, future))
        submitted.add_done_callback(ticket.arrive)
        return future

    def set_default_executor(self, executor):
        self._executor = executor

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        return await self.run_in_executor(None, socket.getaddrinfo, host, port, family, type, proto, flags)

    async def getnameinfo(self, sockaddr, flags=0):
        return await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)

    def _watch(self, fd, events_, callback):
        handlers = self.io_loop.handlers
        number = fd if isinstance(fd, int) else fd.fileno()
        watched = handlers.get(number)
        if watched is not None and not isinstance(watched[1], _Watched):
            raise RuntimeError(f"the descriptor {number} has a handler of the IOLoop")
        both = watched[1] if watched is not None else _Watched()
        both.callbacks[events_] = callback
        self._update(number, both, watched is not None)

    def _unwatch(self, fd, events_):
        number = fd if isinstance(fd, int) else fd.fileno()
        watched = self.io_loop.handlers.get(number)
        if watched is None or not isinstance(watched[1], _Watched) or watched[1].callbacks.pop(events_, None) is None:
            return False
        self._update(number, watched[1], True)
        return True

    def _update(self, number, both, known):
        watched = sum(both.callbacks)
        if not watched:
            self.io_loop.remove_handler(number)
        elif known:
            self.io_loop.update_handler(number, watched)
        else:
            self.io_loop.add_handler(number, both, watched)

    def add_reader(self, fd, callback, *args):
        self._watch(fd, IOLoop.READ, events.Handle(callback, args, self, None))

    def remove_reader(self, fd):
        return self._unwatch(fd, IOLoop.READ)

    def add_writer(self, fd, callback, *args):
        self._watch(fd, IOLoop.WRITE, events.Handle(callback, args, self, None))

    def remove_writer(self, fd):
        return self._unwatch(fd, IOLoop.WRITE)

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

    # Errors and debugging.

    def get_debug(self):
        return self._debug

    def set_debug(self, enabled):
        self._debug = enabled

    def set_exception_handler(self, handler):
        self._exception_handler = handler

    def get_exception_handler(self):
        return self._exception_handler

    def default_exception_handler(self, context):
        asyncio_log.error(context.get("message") or "Unhandled exception in event loop", exc_info=context.get("exception"))

    def call_exception_handler(self, context):
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)


class _Watched:
    """The handler of a descriptor with a reader and a writer of asyncio."""

    def __init__(self):
        self.callbacks = {}

    def __call__(self, _fd, ready):
        for events_, handle in list(self.callbacks.items()):
            if ready & events_ and not handle.cancelled():
                handle._run()


def _copy(submitted, future):
    if future.done():
        return
    if submitted.cancelled():
        future.cancel()
    elif submitted.exception() is not None:
        future.set_exception(submitted.exception())
    else:
        future.set_result(submitted.result())


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _Policy = asyncio.DefaultEventLoopPolicy


class EventLoopPolicy(_Policy):
    """Lets asyncio create squall's loops: `asyncio.run` and `asyncio.get_event_loop` use them."""

    def new_event_loop(self):
        return AsyncioLoop()

    def get_event_loop(self):
        current = IOLoop.current(instance=threading.current_thread() is threading.main_thread())
        if current is None:
            raise RuntimeError(f"There is no current event loop in thread {threading.current_thread().name!r}.")
        return current.asyncio_loop

    def set_event_loop(self, loop):
        if loop is None:
            IOLoop._set_no_current()
        elif isinstance(loop, AsyncioLoop):
            loop.io_loop._set_current()
        else:
            super().set_event_loop(loop)


AnyThreadEventLoopPolicy = EventLoopPolicy


class AddThreadSelectorEventLoop:
    """Returns its argument: squall's loop watches descriptors itself, on each system."""

    def __new__(cls, real_loop):
        return real_loop
