"""Loggers with Tornado's names, and how objects are printed in traces."""

import logging
import reprlib

app_log = logging.getLogger("tornado.application")
gen_log = logging.getLogger("tornado.general")
asyncio_log = logging.getLogger("asyncio")

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 60
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = 6
_repr.maxlevel = 3


def show(value):
    """Returns the `repr` of an object in at most some dozens of characters. Never raises."""
    try:
        text = _repr.repr(value)
    except Exception:
        text = f"<{type(value).__name__} object>"
    return text if len(text) <= 120 else text[:117] + "..."


def report(text, exception, callback):
    """Logs an exception that nothing received."""
    if text == "exception was never retrieved":
        asyncio_log.error("Future exception was never retrieved", exc_info=exception)
    elif callback is not None:
        app_log.error("Exception in callback %r", callback, exc_info=exception)
    else:
        app_log.error("%s", text[:1].upper() + text[1:], exc_info=exception)


def log(is_error, text):
    """Logs what the loop has to say."""
    gen_log.log(logging.ERROR if is_error else logging.WARNING, "%s", text)
