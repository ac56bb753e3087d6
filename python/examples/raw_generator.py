"""What a Runner does by hand: a generator stands still at each `yield` until something is sent."""


def listener():
    print("the body begins")
    while True:
        says = yield
        if says is None:
            break
        print("it was sent", says)
    print("the body ends")


generator = listener()
print("nothing of it has run")
next(generator)
generator.send("hello")
generator.send("bye")
try:
    generator.send(None)
except StopIteration:
    print("it is finished")
