from tornado import gen, ioloop


@gen.coroutine
def number(n):
    yield gen.sleep(0.1)
    return n


async def native():
    print("native begins")
    return await number(3)


@gen.coroutine
def converts():
    # A list becomes one Future, an async def a Task, a Future itself.
    list_ = gen.convert_yielded([number(1), number(2)])
    task = gen.convert_yielded(native())
    same = gen.convert_yielded(gen.maybe_future(4))
    print("converted")
    yield None  # one turn of the loop
    print("one turn later")
    print((yield same))
    print((yield list_))
    print((yield task))


ioloop.IOLoop.current().run_sync(converts)
