"""`gen.Task` makes a Future of a function that takes a callback. Tornado had it until version 5; squall has it still."""
from tornado import gen
from tornado.ioloop import IOLoop


def some_function(x, callback):
    """Stands for code from before Futures: it returns nothing, and calls back."""
    def later():
        callback(x + 1)
        print("the callback has returned")
    IOLoop.current().call_later(0.05, later)


@gen.coroutine
def call_task():
    # Note that there are no parens on some_function. This will be translated by Task into
    #   some_function(other_args, callback=callback)
    print("before the call")
    result = yield gen.Task(some_function, 41)
    print("called back with", result)


IOLoop.current().run_sync(call_task)
