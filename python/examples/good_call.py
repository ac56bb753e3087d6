"""A coroutine that is yielded raises its exception at the yield."""
from tornado import gen
from tornado.ioloop import IOLoop


@gen.coroutine
def divide(x, y):
    return x / y


@gen.coroutine
def good_call():
    # yield will unwrap the Future returned by divide() and raise the exception.
    yield divide(1, 0)


try:
    IOLoop.current().run_sync(good_call)
except ZeroDivisionError as e:
    print("raised:", e)
