"""Does something every minute exactly: the clock ticks meanwhile."""
import sys

from tornado import gen
from tornado.ioloop import IOLoop

# `python minute_loop2.py 0.01` is a hundred times as fast.
SECOND = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0


@gen.coroutine
def do_something():
    print(f"round begins at {(IOLoop.current().time() - began) / SECOND:.0f} s")
    yield gen.sleep(5 * SECOND)


@gen.coroutine
def minute_loop2():
    while True:
        nxt = gen.sleep(60 * SECOND)  # Start the clock.
        yield do_something()  # Run while the clock is ticking.
        yield nxt  # Wait for the timer to run out.


# Coroutines that loop forever are generally started with spawn_callback().
IOLoop.current().spawn_callback(minute_loop2)
# Three rounds are enough to see it.
IOLoop.current().call_later(150 * SECOND, IOLoop.current().stop)
began = IOLoop.current().time()
IOLoop.current().start()
