"""The application: everything read-only loaded once, and the routes put together."""

import ctypes
import gc
import signal
import sys

from flask import Flask

from mappings import books_in_force
from plugin.logs import configure_logs
from plugin.settings import Settings
from plugin.web import body, cors, errors, hook_routes

PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application with everything read-only loaded; raises RuleFileError on a bad rule file."""
    settings = settings or Settings()
    books_in_force.load(settings.base_book)
    configure_logs()
    app = Flask(__name__)
    # One more than is taken: where a body says no length, the framework cuts it off here without a word.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1
    body.add(app)
    hook_routes.add(app, settings)
    errors.add(app)
    cors.add(app)
    # What is loaded now stays, so the collector need not walk it; and a request makes some thousands of short-lived
    # objects without cycles, so looking for cycles every 700 of them would be most of its cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    return app


def worker(settings: Settings) -> Flask:
    """The application of one worker process, which ends when the process that started it does.

    Otherwise a parent that was killed leaves workers behind that keep the port and serve an old version.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    return create_app(settings)
