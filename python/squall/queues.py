"""Queues: the names of `tornado.queues`. The queues are squall's."""

import math

# Tornado's module has some of these too, and programs use them by its name.
from squall import _squall, gen, ioloop
from squall.concurrent import Future, future_set_result_unless_cancelled
from squall.locks import Event

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull"]


class QueueEmpty(Exception):
    """Raised by `get_nowait` when there is no item."""


class QueueFull(Exception):
    """Raised by `put_nowait` when there is no room."""


class _QueueIterator:
    def __init__(self, queue):
        self._queue = queue

    def __anext__(self):
        return self._queue.get()


class Queue(_squall.Queue):
    """Passes items from coroutine to coroutine. `maxsize` 0 means no limit."""

    _kind = "fifo"

    def __new__(cls, maxsize=0):
        if maxsize is None:
            raise TypeError("maxsize can't be None")
        if maxsize < 0:
            raise ValueError("maxsize can't be negative")
        return super().__new__(cls, cls._kind, math.ceil(maxsize))

    def __init__(self, maxsize=0):
        self._maxsize = maxsize

    @property
    def maxsize(self):
        """How many items the queue holds at most."""
        return self._maxsize

    def __aiter__(self):
        return _QueueIterator(self)

    def __repr__(self):
        return f"<{type(self).__name__} at {hex(id(self))} {self._format()}>"

    def __str__(self):
        return f"<{type(self).__name__} {self._format()}>"

    def _format(self):
        return self._counts().partition(" ")[2].rstrip(">")

    @classmethod
    def __class_getitem__(cls, _item):
        return cls


class PriorityQueue(Queue):
    """A queue that returns the smallest item first."""

    _kind = "priority"


class LifoQueue(Queue):
    """A queue that returns the youngest item first."""

    _kind = "lifo"
