def listener():
    print("the body begins")
    for _ in range(2):
        says = yield
        print("it was sent", says)
    print("the body ends")


generator = listener()
print("nothing of it has run")
next(generator)
print("it stands at its first yield")
generator.send("hello")
try:
    generator.send("bye")
except StopIteration:
    print("it is finished")
