"""`install`: makes `import tornado.gen` and the others mean squall's modules."""

import asyncio
import importlib
import importlib.util
import sys
import types

_MODULES = ("concurrent", "gen", "ioloop", "locks", "queues", "platform.asyncio")


def install():
    """Makes the modules of Tornado's coroutines squall's, for a program that was not written for squall.

    `tornado.gen`, `tornado.ioloop`, `tornado.concurrent`, `tornado.locks`, `tornado.queues` and
    `tornado.platform.asyncio` become squall's, and so do the loops that asyncio creates. The other modules of Tornado
    stay its own, if it is installed.

    Raises `RuntimeError` if Tornado's own modules are in use already.
    """
    ours = {f"tornado.{name}": importlib.import_module(f"squall.{name}") for name in _MODULES}
    in_use = [name for name, module in ours.items() if sys.modules.get(name) not in (None, module)]
    if in_use:
        raise RuntimeError(f"call squall.install() before anything imports {in_use[0]}")
    parents = [_package("tornado"), _package("tornado.platform")]
    setattr(parents[0], "platform", parents[1])
    for name, module in ours.items():
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, module)
    from squall.platform.asyncio import EventLoopPolicy

    asyncio.set_event_loop_policy(EventLoopPolicy())


def _package(name):
    """Returns a package of Tornado, or an empty one in its place if Tornado is not installed."""
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        package = types.ModuleType(name)
        package.__path__ = []
        sys.modules[name] = package
        return package
