"""The loop over a cursor: `yield` in its condition, and the native form. The database is SQLite, read on a thread."""
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from tornado import gen
from tornado.ioloop import IOLoop

executor = ThreadPoolExecutor(1)


class Cursor:
    """Has the two interfaces of Motor's cursor: `fetch_next` with `next_object`, and `async for`."""

    def __init__(self, rows):
        self.rows, self.row = rows, None

    @property
    def fetch_next(self):
        return self._fetch()

    @gen.coroutine
    def _fetch(self):
        self.row = yield IOLoop.current().run_in_executor(executor, self.rows.fetchone)
        return self.row is not None

    def next_object(self):
        return self.row

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not await self.fetch_next:
            raise StopAsyncIteration
        return self.next_object()


class Collection:
    def __init__(self, documents):
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, text TEXT)")
        self.db.executemany("INSERT INTO documents (text) VALUES (?)", [(text,) for text in documents])

    def find(self):
        return Cursor(self.db.execute("SELECT id, text FROM documents ORDER BY id"))


@gen.coroutine
def loop_example(collection):
    cursor = collection.find()
    while (yield cursor.fetch_next):
        doc = cursor.next_object()
        print("decorated:", doc)


async def native_loop_example(collection):
    async for doc in collection.find():
        print("native:", doc)


collection = Collection(["first", "second"])
IOLoop.current().run_sync(lambda: loop_example(collection))
IOLoop.current().run_sync(lambda: native_loop_example(collection))
