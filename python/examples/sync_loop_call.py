"""A decorator that runs a coroutine again and again: `delta` after its end it begins anew."""
import datetime
import functools

from tornado import gen
from tornado.ioloop import IOLoop


def sync_loop_call(delta=60 * 1000):
    def wrap_loop(func):
        @functools.wraps(func)
        @gen.coroutine
        def wrap_func(*args, **kwargs):
            print(f"{func.__name__} starts")
            try:
                yield func(*args, **kwargs)
            except Exception as e:
                print(f"{func.__name__}: {e}")
            print(f"{func.__name__} has ended")
            IOLoop.current().add_timeout(datetime.timedelta(milliseconds=delta), wrap_func, *args, **kwargs)
        return wrap_func
    return wrap_loop


@sync_loop_call(delta=300)
@gen.coroutine
def worker(task_list):
    yield gen.sleep(0.09)
    print("did", task_list.pop(0))


# At 90, 480 and 870 ms it takes a task from the list; at 1260 ms there is none, and it goes on.
worker(["one", "two", "three"])
IOLoop.current().call_later(1.4, IOLoop.current().stop)
IOLoop.current().start()
