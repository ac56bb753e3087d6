from squall import concurrent as concurrent
from squall import gen as gen
from squall import ioloop as ioloop
from squall import locks as locks
from squall import queues as queues
from squall.gen import Deadlock as Deadlock

def install() -> None: ...
