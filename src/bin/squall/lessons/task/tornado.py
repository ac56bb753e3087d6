from tornado import gen, ioloop
from tornado.concurrent import Future


def old_style(x, callback):
    """A function from before Futures: it returns nothing, and calls back."""
    def later():
        callback(x + 1)
        print("the callback has returned")
    ioloop.IOLoop.current().call_later(0.1, later)


def Task(func, *args):
    """gen.Task of Tornado 5 and before, in three lines."""
    future = Future()
    func(*args, callback=future.set_result)
    return future


@gen.coroutine
def answer():
    print("before the call")
    x = yield Task(old_style, 41)
    print(f"called back with {x}")


ioloop.IOLoop.current().run_sync(answer)
