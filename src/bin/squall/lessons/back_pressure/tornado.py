from tornado import gen, ioloop, queues


@gen.coroutine
def producer(queue):
    for item in range(5):
        yield queue.put(item)
        print(f"put {item}")


@gen.coroutine
def consumer(queue):
    for _ in range(5):
        item = yield queue.get()
        print(f"got {item}")
        yield gen.sleep(1)


@gen.coroutine
def both():
    queue = queues.Queue(maxsize=2)
    yield [consumer(queue), producer(queue)]


ioloop.IOLoop.current().run_sync(both)
