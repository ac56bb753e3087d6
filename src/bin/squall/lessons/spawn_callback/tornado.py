from tornado import gen, ioloop


@gen.coroutine
def divide(x, y):
    yield gen.sleep(0.1)
    return x // y


@gen.coroutine
def serve():
    ioloop.IOLoop.current().spawn_callback(divide, 1, 0)
    print("not called yet")
    yield gen.sleep(0.2)
    print("it failed meanwhile; the loop goes on")


ioloop.IOLoop.current().run_sync(serve)
