from tornado import gen, ioloop


@gen.coroutine
def divide(x, y):
    yield gen.sleep(0.1)
    return x // y


io_loop = ioloop.IOLoop.current()
half = io_loop.run_sync(lambda: divide(84, 2))
print(f"84 / 2 = {half}")

# run_sync raises the coroutine's exception.
try:
    io_loop.run_sync(lambda: divide(1, 0))
except ZeroDivisionError:
    print("1 / 0: division by zero")
