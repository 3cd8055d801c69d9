"""Discovery, the services, and the form that their cards offer."""

import datetime as dt
from collections import Counter

import msgspec
from flask import Flask, Response, render_template, request

from cds_hooks import cards as wire
from cds_hooks.outcome import Issue, Refusal
from cds_hooks.service import discovery
from mappings import books_in_force
from plugin import addresses, metrics
from plugin.answer import Answer, Setup, answer
from plugin.gather import gatherer
from plugin.outside.fetching import Fetcher
from plugin.outside.fhir_client import Limits
from plugin.questionnaire import documentation_form
from plugin.services import services
from plugin.settings import Settings
from plugin.store.recorder import Recorder
from plugin.store.shown import of_answer
from plugin.web.body import json_body
from plugin.web.media import FHIR_JSON, JSON
from plugin.web.request_log import note


def add(app: Flask, settings: Settings, recorder: Recorder) -> None:
    """Add the routes that an EHR calls."""
    hooks = {hook.service.id: hook for hook in services(settings)}
    announced = msgspec.json.encode(discovery(tuple(hook.service for hook in hooks.values())))
    form = msgspec.json.encode(documentation_form())
    limits = Limits(settings.fetch_seconds, settings.fetch_pages, settings.fetch_bytes)
    networks = [addresses.network(one) for one in settings.fhir_networks]
    gather = metrics.counted(gatherer(Fetcher(settings.fhir_servers, limits, networks, settings.fhir_ca_file)))
    ncci, practice = books_in_force.installed_ncci(settings.ncci_folder), settings.practice

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
        body = json_body()
        setup = Setup(settings.base_book, dt.datetime.now().astimezone().date(), ncci, practice)
        answered = answer(hook, body, gather, setup)
        cards = wire.encode(answered.cards)
        recorder.note(of_answer(service_id, answered.cards, setup.today))
        note(**_told(answered))
        metrics.count_cards(answered)
        return Response(cards, mimetype=JSON)

    @app.get("/fhir/Questionnaire/visit-documentation")
    def questionnaire() -> Response:
        return Response(form, mimetype=FHIR_JSON)


def _told(answered: Answer) -> dict[str, object]:
    codes = [finding.code for one in answered.reviewed for finding in one.findings]
    return {
        "findings": Counter(codes + [finding.code for finding in answered.whole]),
        "cards": len(answered.cards),
        "editions": list(dict.fromkeys(one.edition for one in answered.reviewed)),
    }
