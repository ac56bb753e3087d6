"""`run_sync` starts the loop, runs one coroutine and stops the loop; the coroutine's exception is raised here."""
from tornado import gen
from tornado.ioloop import IOLoop


@gen.coroutine
def divide(x, y):
    yield gen.sleep(0.1)
    return x / y


# run_sync() takes a function without arguments, so a call with arguments stands in a lambda.
print(IOLoop.current().run_sync(lambda: divide(84, 2)))
try:
    IOLoop.current().run_sync(lambda: divide(1, 0))
except ZeroDivisionError as e:
    print("raised:", e)
