from tornado import gen, ioloop


@gen.coroutine
def inner():
    yield gen.sleep(0.1)
    print("inner returns")
    ioloop.IOLoop.current().add_callback(print, "a callback runs")
    return 1


@gen.coroutine
def middle():
    n = yield inner()
    print("middle goes on")
    return n + 1


@gen.coroutine
def outer():
    n = yield middle()
    print("outer goes on")
    return n + 1


print(ioloop.IOLoop.current().run_sync(outer))
