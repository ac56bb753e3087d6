import functools

from tornado import gen, ioloop


def seconds_since(start):
    return f"{ioloop.IOLoop.current().time() - start:.0f}"


def time_call(f):
    """A decorator for functions: it times the call alone."""
    @functools.wraps(f)
    def wrapper(*args):
        start = ioloop.IOLoop.current().time()
        future = f(*args)
        print(f"time_call: {seconds_since(start)} s")
        return future
    return wrapper


def timer(f):
    """A decorator for coroutines: it is one, and waits for the result."""
    @functools.wraps(f)
    @gen.coroutine
    def wrapper(*args):
        start = ioloop.IOLoop.current().time()
        result = yield f(*args)
        print(f"timer: {seconds_since(start)} s")
        return result
    return wrapper


@time_call
@gen.coroutine
def work_with_time_call():
    yield gen.sleep(2)
    return 42


@timer
@gen.coroutine
def work_with_timer():
    yield gen.sleep(2)
    return 42


@gen.coroutine
def both():
    print(f"work returned {(yield work_with_time_call())}")
    print(f"work returned {(yield work_with_timer())}")


ioloop.IOLoop.current().run_sync(both)
