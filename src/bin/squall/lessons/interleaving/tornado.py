from tornado import gen, ioloop


@gen.coroutine
def fetch_next(n):
    """Stands for the network: a chunk takes 100 ms."""
    yield gen.sleep(0.1)
    return ["Hello", "world", None][n]


@gen.coroutine
def flush():
    yield gen.sleep(0.06)


@gen.coroutine
def get():
    n = 0
    chunk_future = fetch_next(n)
    while True:
        chunk = yield chunk_future
        if chunk is None:
            break
        print(f"write {chunk}")
        n += 1
        chunk_future = fetch_next(n)  # starts it ...
        yield flush()  # ... and works on this one meanwhile


ioloop.IOLoop.current().run_sync(get)
