"""The web service. Routes translate HTTP and no more; everything else is in `plugin.answer`."""

import ctypes
import datetime as dt
import gc
import signal
import sys
import time

import msgspec
import structlog
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from cds_hooks import cards as wire
from cds_hooks.outcome import Issue, Refusal, operation_outcome
from cds_hooks.service import discovery
from mappings import books_in_force
from plugin.answer import Answer, Setup, answer
from plugin.fhir_client import FhirClient
from plugin.gather import gatherer
from plugin.logs import configure_logs
from plugin.questionnaire import documentation_form
from plugin.services import services
from plugin.settings import Settings

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
    "Access-Control-Max-Age": "600",
}
"""Browser clients may call from anywhere; no credentials are accepted from them."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application with everything read-only loaded; raises RuleFileError on a bad rule file."""
    settings = settings or Settings()
    books_in_force.load(settings.base_book)
    configure_logs()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    _add_routes(app, settings)
    _add_errors(app)
    app.after_request(_with_cors)
    # What is loaded now stays, so the collector need not walk it; and a request makes some thousands of short-lived
    # objects without cycles, so looking for cycles every 700 of them would be most of its cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    return app


def worker() -> Flask:
    """The application of one worker process, which ends when the process that started it does.

    Otherwise a parent that was killed leaves workers behind that keep the port and serve an old version.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    return create_app()


def _add_routes(app: Flask, settings: Settings) -> None:
    hooks = {hook.service.id: hook for hook in services(settings)}
    announced = msgspec.json.encode(discovery(tuple(hook.service for hook in hooks.values())))
    form = msgspec.json.encode(documentation_form())
    gather = gatherer(FhirClient(settings.fhir_servers, settings.fetch_seconds))
    ncci = books_in_force.installed_ncci(settings.ncci_folder)
    log = structlog.get_logger()

    @app.get("/")
    def index() -> str:
        return render_template("index.html", base=request.host_url, services=[hook.service for hook in hooks.values()])

    @app.get("/cds-services")
    def announce() -> Response:
        return Response(announced, mimetype=JSON)

    @app.post("/cds-services/<service_id>")
    def serve(service_id: str) -> Response:
        hook = hooks.get(service_id)
        if hook is None:
            known = ", ".join(hooks)
            raise Refusal(404, Issue("not-found", f"There is no service of this id; the services are {known}."))
        if request.mimetype not in ("", JSON, FHIR_JSON):
            raise Refusal(415, Issue("not-supported", f"The body must be JSON (Content-Type: {JSON})."))
        began = time.perf_counter()
        setup = Setup(settings.base_book, dt.datetime.now().astimezone().date(), ncci)
        answered = answer(hook, request.get_data(cache=False), gather, setup)
        body = wire.encode(answered.cards)
        log.info("answered", service=service_id, **_told(answered), ms=_since(began))
        return Response(body, mimetype=JSON)

    @app.get("/fhir/Questionnaire/visit-documentation")
    def questionnaire() -> Response:
        return Response(form, mimetype=FHIR_JSON)


def _add_errors(app: Flask) -> None:
    log = structlog.get_logger()

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        log.info("refused", status=refusal.status, issues=[issue.path for issue in refusal.issues])
        return _outcome(refusal.status, refusal.issues)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        words = error.description or error.name
        return _outcome(error.code or 500, (Issue("processing", words),))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The message may hold the caller's data, so only the kind of error and its place are logged.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
        log.error("failed", error=type(error).__name__, where=where)
        return _outcome(500, (Issue("exception", "VisitCue failed on this request; its log says where."),))


def _outcome(status: int, issues: tuple[Issue, ...]) -> Response:
    return Response(msgspec.json.encode(operation_outcome(issues)), status, mimetype=FHIR_JSON)


def _with_cors(response: Response) -> Response:
    response.headers.extend(CORS)
    return response


def _told(answered: Answer) -> dict[str, object]:
    codes = [finding.code for one in answered.reviewed for finding in one.findings]
    return {
        "findings": codes + [finding.code for finding in answered.whole],
        "editions": list(dict.fromkeys(one.edition for one in answered.reviewed)),
    }


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
