from tornado import gen, ioloop


@gen.coroutine
def decorated():
    print("decorated runs")


async def native():
    print("native runs")


@gen.coroutine
def caller():
    decorated()
    print("decorated was called")
    native()  # RuntimeWarning: coroutine 'native' was never awaited
    print("native was called")
    yield native()
    print("native was yielded")


ioloop.IOLoop.current().run_sync(caller)
