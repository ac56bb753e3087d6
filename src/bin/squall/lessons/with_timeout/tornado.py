import datetime

from tornado import gen, ioloop


class NoAnswer(Exception):
    pass


@gen.coroutine
def slow():
    yield gen.sleep(2)
    print("slow fails")
    raise NoAnswer("no answer")


@gen.coroutine
def impatient():
    limit = datetime.timedelta(seconds=1)
    try:
        print((yield gen.with_timeout(limit, slow())))
    except gen.TimeoutError:
        print("given up")
    yield gen.sleep(2)
    print("impatient ends")


ioloop.IOLoop.current().run_sync(impatient)
