from tornado import gen, ioloop, locks


class Account:
    balance = 0


@gen.coroutine
def deposit(account, amount):
    read = account.balance
    yield gen.moment  # a query, a log, anything that waits
    account.balance = read + amount


@gen.coroutine
def careful(account, amount, lock):
    with (yield lock.acquire()):
        yield deposit(account, amount)


@gen.coroutine
def deposits():
    account = Account()
    yield [deposit(account, 10), deposit(account, 20)]
    print(f"without a lock: {account.balance}")

    account, lock = Account(), locks.Lock()
    yield [careful(account, 10, lock), careful(account, 20, lock)]
    print(f"with a lock: {account.balance}")


ioloop.IOLoop.current().run_sync(deposits)
