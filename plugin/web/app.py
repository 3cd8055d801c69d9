"""The application: everything read-only loaded once, and the routes put together."""

import ctypes
import gc
import signal
import sys

from flask import Flask

from mappings import books_in_force
from plugin import metrics
from plugin.logs import configure_logs, take_over
from plugin.openapi import described
from plugin.services import services
from plugin.settings import Settings
from plugin.store import health
from plugin.store.engine import open_store
from plugin.store.recorder import Recorder
from plugin.web import (
    body,
    cors,
    errors,
    feedback_routes,
    headers,
    hook_routes,
    open_service,
    operations,
    request_log,
    trust,
)

PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application with everything read-only loaded; raises RuleFileError, TrustFileError or StoreError."""
    settings = settings or Settings()
    books_in_force.load(settings.base_book)
    configure_logs(settings.log_level)
    store = open_store(settings)
    recorder = Recorder(store, settings.keep_days)
    ours = [hook.service for hook in services(settings)]
    app = Flask(__name__, static_folder=None)
    # One more than is taken: where a body says no length, the framework cuts it off here without a word.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1
    app.extensions["store"], app.extensions["recorder"] = store, recorder
    request_log.add(app, {one.id: frozenset(one.prefetch) for one in ours})
    body.add(app)
    open_service.add(app, settings)
    trust.add(app, settings, store)
    hook_routes.add(app, settings, recorder)
    feedback_routes.add(app, settings, store)
    checks = (("rules", lambda: bool(books_in_force.books())), ("store", lambda: health.is_ready(store)))
    operations.add(app, described(ours), checks, settings)
    errors.add(app)
    cors.add(app, settings)
    headers.add(app)
    metrics.begin(one.id for one in ours)
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
    take_over()
    return create_app(settings)
