"""A program that a tool runs, as `python program.py` would run it."""

import builtins
import gc
import importlib
import importlib.util
import io
import os
import sys
import sysconfig
import traceback
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path

from squall import _squall


class Program:
    """A file and its arguments. Each run of it is a run of its own: its modules are imported anew."""

    def __init__(self, path, args=(), is_module=False):
        # What `import __main__` finds in it, as `python program.py` or `python -m module` sets it.
        self._globals = dict(__builtins__=builtins, __cached__=None, __spec__=None, __package__=None)
        if is_module:
            self._find_module(path)
        else:
            self.path = os.path.join(path, "__main__.py") if os.path.isdir(path) else path
            file = os.path.abspath(self.path)
            self.folder, self._first = os.path.dirname(file), path
            self._globals.update(__file__=file, __loader__=SourceFileLoader("__main__", file))
        self.args = list(args)
        # How a command line names it.
        self.command = ["-m", path] if is_module else [path]
        try:
            with open(self.path, "rb") as file:
                self.source = file.read()
        except OSError as error:
            raise ProgramNotFound(f"cannot read {path}: {error.strerror}") from None
        self._code = compile(self.source, self.path, "exec", dont_inherit=True)

    def _find_module(self, name):
        """Finds a module, or the `__main__` of a package, as `python -m` does."""
        self.folder, others = os.getcwd(), set(sys.modules)
        sys.path.insert(0, self.folder)
        try:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.submodule_search_locations is not None:
                spec = importlib.util.find_spec(f"{name}.__main__")
        except ImportError:
            spec = None
        finally:
            sys.path.pop(0)
            # A run imports the packages around the module anew.
            self._drop_own({it: module for it, module in sys.modules.items() if it not in others})
        if spec is None or not spec.has_location:
            raise ProgramNotFound(f"there is no module {name} that can be run")
        self.path = self._first = spec.origin
        self._globals.update(__file__=spec.origin, __loader__=spec.loader, __spec__=spec, __package__=spec.parent)

    def run(self):
        """Runs the program as `__main__`, and raises what it raises."""
        main = types.ModuleType("__main__")
        main.__dict__.update(self._globals)
        before = sys.modules["__main__"], sys.argv, sys.path[0]
        others = set(sys.modules)
        sys.modules["__main__"], sys.argv, sys.path[0] = main, [self._first, *self.args], self.folder
        try:
            if self._globals["__package__"]:
                importlib.import_module(self._globals["__package__"])
            exec(self._code, main.__dict__)
        finally:
            sys.modules["__main__"], sys.argv, sys.path[0] = before
            self._modules = {
                name: module for name, module in sys.modules.items() if name not in others and module is not main
            }
            self._main = main

    def forget(self):
        """Drops what a run has left: the modules of the program, and the Futures that they hold."""
        self._drop_own(self._modules)
        self._modules = {}
        self._main.__dict__.clear()
        gc.collect()

    def _drop_own(self, modules):
        for name, module in modules.items():
            if self._is_own(getattr(module, "__file__", None)):
                sys.modules.pop(name, None)

    def sources(self):
        """Returns the names and texts of the program's files, as far as they were imported."""
        files = [self.path]
        files += sorted(
            module.__file__
            for module in self._modules.values()
            if self._is_own(getattr(module, "__file__", None))
        )
        return [(file, Path(file).read_text(encoding="utf-8", errors="replace")) for file in files]

    def about(self):
        """Returns the first line of the program's docstring, or nothing."""
        doc = self._main.__dict__.get("__doc__") or ""
        return doc.strip().partition("\n")[0]

    def _is_own(self, file):
        if not file or not file.endswith(".py") or not os.path.isfile(file):
            return False
        return os.path.abspath(file).startswith(self.folder + os.sep) and not file.startswith(tuple(libraries()))


class ProgramNotFound(Exception):
    """The program cannot be read."""


def libraries(only_own=False):
    """Returns the beginnings of the paths of files that are no part of any program; `only_own`: those of this package."""
    paths = {os.path.dirname(os.path.abspath(__file__))}
    if not only_own:
        paths |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return sorted(path + os.sep for path in paths if path) + ["<frozen "]


def traceback_of(exception):
    """Returns the traceback of what a program raised, from the program's own first line."""
    package = os.path.dirname(__file__) + os.sep
    tb = exception.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(package):
        tb = tb.tb_next
    return tb


def exit_code(exception):
    """Returns the exit code with which Python ends for an exception, and what it prints before."""
    if not isinstance(exception, SystemExit):
        code = 130 if isinstance(exception, KeyboardInterrupt) else 1
        text = "".join(traceback.format_exception(type(exception), exception, traceback_of(exception)))
        return code, text
    if exception.code is None or isinstance(exception.code, int):
        return exception.code or 0, ""
    return 1, f"{exception.code}\n"


class Notes(io.TextIOBase):
    """Standard output, whose lines become notes of the trace."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self):
        self._line = ""
        self.buffer = _Bytes(self)

    def writable(self):
        return True

    def write(self, text):
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            _squall.note(line)
        return len(text)

    def finish(self):
        """Writes the last line, if it has no end."""
        if self._line:
            self.write("\n")


class _Bytes(io.RawIOBase):
    def __init__(self, text):
        self._text = text

    def writable(self):
        return True

    def write(self, data):
        self._text.write(bytes(data).decode("utf-8", "replace"))
        return len(data)
