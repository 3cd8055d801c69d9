"""Log lines: one JSON object each, on standard error, with no word of a patient, a body, a token or a URL in them.

What may stand in a line is listed in docs/operations.md; the suite reads everything that it logged against that list.
"""

import contextlib
import datetime as dt
import logging
import os
import sys
import threading
from types import TracebackType
from typing import Any, Literal

import msgspec
import structlog

Level = Literal["debug", "info", "warning", "error"]

OURS = frozenset({"cds_hooks", "mappings", "plugin"})
"""The packages whose places are worth naming: a library's failure is ours to mend where we called it."""

SPOKEN = ("_granian", "alembic")
"""The libraries whose words are logged: they speak of processes and of revisions, and see no request.
Of all others only the place is logged, for their words hold addresses, and with these patient ids."""


def emit(line: bytes) -> None:
    """Write a line to standard error: in one call, so that the lines of several workers do not mix.

    A log that cannot be written costs no answer.
    """
    with contextlib.suppress(OSError):
        os.write(2, line + b"\n")


def configure_logs(level: Level = "info") -> None:
    """Write log lines of this level and above, ours and the libraries', as JSON to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _as_line],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries())
    root.setLevel(max(number, logging.WARNING))


def take_over() -> None:
    """Turn what would be printed as a traceback or a warning into a log line; for a process that is ours alone."""
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


GRANIAN: dict[str, Any] = {
    "handlers": {},
    "loggers": {"_granian": {"handlers": []}, "granian.access": {"handlers": [], "propagate": False}},
}
"""The server's own logging, which would write plain text to standard output: its lines go the way of all others."""


def place_of(traceback: TracebackType | None) -> str:
    """The innermost place of ours in a traceback as `module:line`, else the innermost of all; "" without one."""
    found = ""
    ours = False
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS or not ours:
            ours = module.partition(".")[0] in OURS
            found = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _as_line(_: object, level: str, told: structlog.typing.EventDict) -> bytes:
    """The line. Time, level and event come first, so that a line is known for one by its beginning."""
    first = {"time": dt.datetime.now(dt.UTC), "level": level, "event": told.pop("event")}
    return msgspec.json.encode({**first, **told}, enc_hook=lambda value: type(value).__name__)


def _uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """An exception that nobody caught: its kind and its place, for its message may hold data."""
    if issubclass(kind, KeyboardInterrupt):
        return
    told = traceback or (error.__traceback__ if error else None)
    structlog.get_logger().error("failed", error=kind.__name__, where=place_of(told))


class _Lines:
    """What structlog hands its finished lines to."""

    def write(self, line: bytes) -> None:
        emit(line)

    debug = info = warning = error = critical = write


class _Libraries(logging.Handler):
    """Lines of libraries that use the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        words = {"message": record.getMessage()} if record.name.partition(".")[0] in SPOKEN else {}
        error = record.exc_info[0] if record.exc_info else None
        kind = {"error": error.__name__} if error else {}
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # structlog knows no level between the usual ones
        where = f"{record.module}:{record.lineno}"
        structlog.get_logger().log(level, "library", logger=record.name, where=where, **words, **kind)
