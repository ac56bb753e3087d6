from tornado import gen, ioloop, locks
from tornado.util import TimeoutError


@gen.coroutine
def transfer(name, from_, to):
    with (yield from_.acquire()):
        print(f"{name} holds its first lock")
        yield gen.moment
        with (yield to.acquire()):
            print(f"{name} holds both locks")


@gen.coroutine
def both():
    a, b = locks.Lock(), locks.Lock()
    yield [transfer("one", a, b), transfer("two", b, a)]


try:
    # Without the timeout this never returns.
    ioloop.IOLoop.current().run_sync(both, timeout=0.2)
except TimeoutError:
    print("they wait for each other for ever")
