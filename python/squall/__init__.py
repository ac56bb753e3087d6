"""Tornado's coroutines on squall: run, traced, stepped and explored.

    import squall
    squall.install()               # from here on tornado.gen, tornado.ioloop and the others are squall's
    from tornado import gen, ioloop

The modules have Tornado's names: `squall.gen`, `squall.ioloop`, `squall.concurrent`, `squall.locks`, `squall.queues`,
`squall.platform.asyncio`.
"""

from squall import _wiring, concurrent, gen, ioloop, locks, queues
from squall._installing import install
from squall.gen import Deadlock

__all__ = ["Deadlock", "concurrent", "gen", "install", "ioloop", "locks", "queues"]
