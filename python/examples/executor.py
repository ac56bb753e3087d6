"""Code that blocks runs on a thread; its Future is yielded like any other."""
import threading
from concurrent.futures import ThreadPoolExecutor

from tornado import gen
from tornado.ioloop import IOLoop

thread_pool = ThreadPoolExecutor(4)
arrived = threading.Event()


def blocking_func(args):
    """Blocks until the loop, which goes on meanwhile, lets it go."""
    arrived.wait()
    return sum(args)


def on_the_loop():
    print("the loop goes on meanwhile")
    arrived.set()


@gen.coroutine
def call_blocking():
    future = thread_pool.submit(blocking_func, [1, 2, 3])
    IOLoop.current().add_callback(on_the_loop)
    print((yield future))
    # The same by the loop's own method.
    print((yield IOLoop.current().run_in_executor(None, blocking_func, [4, 5, 6])))


IOLoop.current().run_sync(call_blocking)
