from tornado import gen, ioloop


@gen.coroutine
def divide(x, y):
    return x // y


def bad_call():
    # This should raise ZeroDivisionError, but it does not: the call
    # returns a Future, which is dropped here.
    divide(1, 0)
    print("nothing was raised")


ioloop.IOLoop.current().run_sync(bad_call)
