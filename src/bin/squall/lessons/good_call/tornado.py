from tornado import gen, ioloop


@gen.coroutine
def divide(x, y):
    if y == 0:
        raise ZeroDivisionError("division by zero")
    return x // y


@gen.coroutine
def good_call():
    try:
        return (yield divide(1, 0))
    except ZeroDivisionError as e:
        print(f"caught: {e}")
        return 0


n = ioloop.IOLoop.current().run_sync(good_call)
print(f"good_call returned {n}")
