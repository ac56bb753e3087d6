from tornado import gen, ioloop


@gen.coroutine
def greet():
    print("greet runs")


io_loop = ioloop.IOLoop.current()
io_loop.spawn_callback(greet)
print("spawned")
# A program that ends here never runs greet, and nothing says so.

io_loop.call_later(0.1, io_loop.stop)
print("the loop starts")
io_loop.start()
print("the loop has stopped")
