from tornado import gen, ioloop

START = ioloop.IOLoop.current().time()


@gen.coroutine
def do_something():
    now = ioloop.IOLoop.current().time() - START
    print(f"round begins at {now:.0f} s")
    yield gen.sleep(5)


@gen.coroutine
def minute_loop2():
    for _ in range(2):  # two rounds of `while True`
        nxt = gen.sleep(60)  # start the clock
        yield do_something()  # run while the clock is ticking
        yield nxt  # wait for the timer to run out


ioloop.IOLoop.current().run_sync(minute_loop2)
