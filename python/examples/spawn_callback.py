"""Fire and forget: the loop calls the coroutine, and logs its exception, since nobody waits for it."""
import logging
import sys

from tornado import gen
from tornado.ioloop import IOLoop

# Without the traceback, whose lines are those of the implementation.
logging.basicConfig(stream=sys.stdout)
logging.getLogger().handlers[0].formatter.format = lambda record: f"logged: {record.exc_info[1]!r}"


@gen.coroutine
def divide(x, y):
    yield gen.sleep(0.05)
    return x / y


def stop():
    print("the loop is still running")
    IOLoop.current().stop()


# The IOLoop will catch the exception and log it. This does not call divide() yet.
IOLoop.current().spawn_callback(divide, 1, 0)
print("not called yet")
IOLoop.current().call_later(0.1, stop)
IOLoop.current().start()
