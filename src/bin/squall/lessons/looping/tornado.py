from tornado import gen, ioloop


class Cursor:
    """Stands for a database cursor, like Motor's."""
    documents = ["first document", "second document"]
    at = 0

    @gen.coroutine
    def fetch_next(self):
        """Fetches the next document, and returns whether there is one."""
        yield gen.sleep(0.1)
        return self.at < len(self.documents)

    def next_object(self):
        self.at += 1
        return self.documents[self.at - 1]


@gen.coroutine
def loop_example():
    cursor = Cursor()
    while (yield cursor.fetch_next()):
        print(cursor.next_object())


ioloop.IOLoop.current().run_sync(loop_example)
