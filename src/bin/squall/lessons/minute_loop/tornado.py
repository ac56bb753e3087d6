from tornado import gen, ioloop

START = ioloop.IOLoop.current().time()


@gen.coroutine
def do_something():
    now = ioloop.IOLoop.current().time() - START
    print(f"round begins at {now:.0f} s")
    yield gen.sleep(5)


@gen.coroutine
def minute_loop():
    for _ in range(2):  # two rounds of `while True`
        yield do_something()
        yield gen.sleep(60)


ioloop.IOLoop.current().run_sync(minute_loop)
