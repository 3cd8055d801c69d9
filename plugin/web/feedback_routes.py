"""Where an EHR says what became of the cards."""

import datetime as dt

from flask import Flask, Response

from cds_hooks.feedback import read_feedback
from cds_hooks.outcome import Issue, Refusal
from plugin import metrics
from plugin.services import services
from plugin.settings import Settings
from plugin.store.engine import Engine
from plugin.store.errors import StoreUnavailable
from plugin.store.feedback import save
from plugin.web.body import json_body
from plugin.web.media import JSON
from plugin.web.request_log import note


def add(app: Flask, settings: Settings, store: Engine) -> None:
    """Add the feedback route of every service."""
    known = [hook.service.id for hook in services(settings)]

    @app.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        if service_id not in known:
            words = f"There is no service of this id; the services are {', '.join(known)}."
            raise Refusal(404, Issue("not-found", words))
        entries = read_feedback(json_body())
        try:
            save(store, service_id, entries, dt.datetime.now(dt.UTC))
        except StoreUnavailable as error:
            note(error=str(error))  # one of our own sentences
            words = "The feedback could not be stored; the same body may be sent again later."
            raise Refusal(503, Issue("transient", words)) from None
        accepted = sum(entry.outcome == "accepted" for entry in entries)
        overridden = len(entries) - accepted
        note(accepted=accepted, overridden=overridden)
        metrics.count_feedback(accepted, overridden)
        return Response(b"{}", mimetype=JSON)
