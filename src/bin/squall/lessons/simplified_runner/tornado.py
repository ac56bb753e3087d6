from tornado import ioloop
from tornado.concurrent import Future


def add(first, second):
    a = yield first
    print(f"the first is {a}")
    b = yield second
    print(f"the second is {b}, the sum {a + b}")


class Runner:
    def __init__(self, generator):
        self.generator, self.next = generator, None
        self.run()

    def run(self):
        try:
            future = self.generator.send(self.next)
        except StopIteration:
            print("the generator is finished")
        else:
            future.add_done_callback(self.done)

    def done(self, future):
        self.next = future.result()
        self.run()


def resolve():
    first.set_result(1)
    print("set_result(1) has returned")


io_loop = ioloop.IOLoop.current()
first, second = Future(), Future()
io_loop.call_later(0.1, resolve)
io_loop.call_later(0.2, second.set_result, 2)
io_loop.call_later(0.3, io_loop.stop)

Runner(add(first, second))
print("run has returned")
io_loop.start()
