import queue
from concurrent.futures import ThreadPoolExecutor

from tornado import gen, ioloop


def blocking(messages):
    """Stands for a function that blocks: it waits for a message."""
    number = messages.get()
    return sum(range(1, number + 1))


@gen.coroutine
def sums():
    pool = ThreadPoolExecutor(1)
    messages = queue.Queue()
    total = pool.submit(blocking, messages)
    print("the job is handed over")

    def callback():
        print("the loop goes on meanwhile")
        messages.put(1000)

    ioloop.IOLoop.current().add_callback(callback)
    print(f"the job returned {(yield total)}")


ioloop.IOLoop.current().run_sync(sums)
