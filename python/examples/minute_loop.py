"""Does something every minute, plus the time that it takes: the rounds drift."""
import sys

from tornado import gen
from tornado.ioloop import IOLoop

# `python minute_loop.py 0.01` is a hundred times as fast.
SECOND = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0


@gen.coroutine
def do_something():
    print(f"round begins at {(IOLoop.current().time() - began) / SECOND:.0f} s")
    yield gen.sleep(5 * SECOND)


@gen.coroutine
def minute_loop():
    while True:
        yield do_something()
        yield gen.sleep(60 * SECOND)


# Coroutines that loop forever are generally started with spawn_callback().
IOLoop.current().spawn_callback(minute_loop)
# Three rounds are enough to see it.
IOLoop.current().call_later(150 * SECOND, IOLoop.current().stop)
began = IOLoop.current().time()
IOLoop.current().start()
