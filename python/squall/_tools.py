"""What the tools do with a program: record it, run it in every order, repeat one of them."""

import contextlib
import io
import os
import sys

from squall import _squall, ioloop
from squall._installing import install
from squall._program import Notes, exit_code, libraries
from squall._time import of_the_loop


@contextlib.contextmanager
def loops(prepare):
    """Calls `prepare` with each loop that is created meanwhile."""
    before, ioloop._prepare = ioloop._prepare, prepare
    ioloop.IOLoop._set_no_current()
    try:
        yield
    finally:
        ioloop._prepare = before
        ioloop.IOLoop._set_no_current()


def use_virtual_time(io_loop):
    """Lets the clock of a new loop jump from timer to timer, and its tasks be squall's own, which a tool can see."""
    io_loop._use_virtual_time()
    use_own_tasks(io_loop)


def use_own_tasks(io_loop):
    """Lets the tasks that asyncio creates on a new loop be squall's own, which a tool can see."""
    io_loop.asyncio_loop.set_task_factory(lambda _loop, coroutine, **_kwargs: _squall.task(coroutine))


@contextlib.contextmanager
def printing_to(stdout):
    before, sys.stdout = sys.stdout, stdout
    try:
        yield stdout
    finally:
        sys.stdout = before


@contextlib.contextmanager
def reading_from(stdin):
    before, sys.stdin = sys.stdin, stdin
    try:
        yield
    finally:
        sys.stdin = before


class Input(io.TextIOWrapper):
    """Standard input that each order of a program reads from its beginning."""

    def __init__(self, real):
        self._raw = _Remembering(getattr(real, "buffer", None))
        super().__init__(io.BufferedReader(self._raw), getattr(real, "encoding", None) or "utf-8")

    def rewind(self):
        self.seek(0)


class _Remembering(io.RawIOBase):
    """Reads from a stream as far as it is asked to, and from what was read before."""

    def __init__(self, real):
        self._real, self._read, self._at = real, b"", 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._read)}[whence]
        return self._at

    def tell(self):
        return self._at

    def fileno(self):
        if self._real is None:
            raise io.UnsupportedOperation("there is no standard input")
        return self._real.fileno()

    def readinto(self, buffer):
        if self._at == len(self._read) and self._real is not None:
            self._read += self._real.read1(len(buffer))
        part = self._read[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def record(program, *, real_time=False, until=None, turns=None, all_code=False):
    """Runs a program, and returns the trace and what the program raised."""
    install()
    _squall._set_libraries(libraries(all_code))
    prepare, clock = (use_own_tasks, contextlib.nullcontext()) if real_time else (use_virtual_time, of_the_loop())
    with loops(prepare), clock, printing_to(Notes()) as notes:
        trace = _squall.record(program.run, until=until, turns=turns)
        notes.finish()
    try:
        trace.result()
    except BaseException as exception:
        return trace, exception
    return trace, None


def explore(program, **bounds):
    """Runs a program in each order of its coroutines."""
    install()
    _squall._set_libraries(libraries())
    stdin = Input(sys.stdin)
    with open(os.devnull, "w") as nothing, reading_from(stdin):
        return _squall.explore(lambda tool: run_on(tool, program, nothing, nothing, stdin), **bounds)


def replay(program, schedule):
    """Runs a program in the order that `explore` has named. Returns what is wrong, or `None`."""
    install()
    _squall._set_libraries(libraries())
    return _squall.replay(schedule, lambda tool: run_on(tool, program, sys.stdout, sys.stderr))


def run_on(tool, program, stdout, stderr, stdin=None):
    """Runs a program whose first loop is that of the tool. Returns what is wrong with it, or `None`."""
    if stdin is not None:
        stdin.rewind()
    first = []

    def prepare(io_loop):
        if first:
            use_virtual_time(io_loop)
        else:
            first.append(io_loop)
            io_loop._adopt(tool)
            use_own_tasks(io_loop)

    problem = None
    with loops(prepare), of_the_loop(), printing_to(stdout), contextlib.redirect_stderr(stderr):
        try:
            program.run()
        except SystemExit as exception:
            code, text = exit_code(exception)
            problem = (text or f"the program exits with {code}") if code else None
        except KeyboardInterrupt:
            raise
        except BaseException as exception:
            problem = exit_code(exception)[1]
            exception.__traceback__ = None
    program.forget()
    return problem
