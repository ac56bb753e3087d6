from tornado import gen, ioloop


async def native(n):
    await gen.sleep(0.1)
    return n + 1


@gen.coroutine
def decorated():
    not_started = gen.convert_yielded(native(1))
    print("native was called, and has not started")
    n = yield not_started
    return n * 2


print(ioloop.IOLoop.current().run_sync(decorated))
