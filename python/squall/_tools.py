"""What the tools do with a program: record it, run it in every order, repeat one of them."""

import contextlib
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
    with open(os.devnull, "w") as nothing:
        return _squall.explore(lambda tool: run_on(tool, program, nothing, nothing), **bounds)


def replay(program, schedule):
    """Runs a program in the order that `explore` has named. Returns what is wrong, or `None`."""
    install()
    _squall._set_libraries(libraries())
    return _squall.replay(schedule, lambda tool: run_on(tool, program, sys.stdout, sys.stderr))


def run_on(tool, program, stdout, stderr):
    """Runs a program whose first loop is that of the tool. Returns what is wrong with it, or `None`."""
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
        except BaseException as exception:
            problem = exit_code(exception)[1]
            exception.__traceback__ = None
            if isinstance(exception, KeyboardInterrupt):
                raise
    program.forget()
    return problem
