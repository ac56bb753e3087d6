from tornado import gen, ioloop


@gen.coroutine
def divide(x, y):
    print(f"divide({x}, {y}) begins")
    yield gen.sleep(0.1)
    return x // y


io_loop = ioloop.IOLoop.current()
# The lambda is called by the loop, in its first turn.
print(io_loop.run_sync(lambda: divide(84, 2)))

# A call begins at once, whether or not a loop is running.
future = divide(9, 3)
print("the loop is not running")
print(io_loop.run_sync(lambda: future))
