"""Tells the extension the classes and functions of the package that it uses."""

import asyncio
import collections.abc
import os
import sys
import types

from squall import _squall, gen, queues
from squall._log import log, report, show


def _asyncio_loop():
    from squall.ioloop import IOLoop

    return IOLoop.current().asyncio_loop


def _make_loop_current():
    from squall.ioloop import IOLoop

    IOLoop.current()._make_current()


_squall._init(
    dict(
        return_=gen.Return,
        bad_yield=gen.BadYieldError,
        timeout=gen.TimeoutError,
        cancelled=asyncio.CancelledError,
        invalid_state=asyncio.InvalidStateError,
        deadlock=gen.Deadlock,
        queue_empty=queues.QueueEmpty,
        queue_full=queues.QueueFull,
        generator=types.GeneratorType,
        coroutine=types.CoroutineType,
        method=types.MethodType,
        abstract_generator=collections.abc.Generator,
        convert=gen._convert,
        seconds_until=gen._seconds_until,
        report=report,
        log=log,
        show=show,
        asyncio_loop=_asyncio_loop,
        make_loop_current=_make_loop_current,
        # Up to Python 3.13 all that `_enter_task` and `_leave_task` do is to change this dict.
        current_tasks=asyncio.tasks._current_tasks if sys.version_info < (3, 14) else None,
        enter_task=asyncio.tasks._enter_task,
        leave_task=asyncio.tasks._leave_task,
    )
)
_squall._set_libraries([os.path.dirname(os.path.abspath(__file__)) + os.sep])
