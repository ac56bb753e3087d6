"""A coroutine that is called like a plain function raises nothing: its exception is trapped in a Future that nobody
looks at."""
from tornado import gen


@gen.coroutine
def divide(x, y):
    return x / y


def bad_call():
    # This should raise a ZeroDivisionError, but it won't because the coroutine is called incorrectly.
    divide(1, 0)


bad_call()
print("nothing was raised")
