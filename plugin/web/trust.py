"""Discovery, services and feedback are answered to trusted clients only, once the installation has a trust file."""

import functools
import time

from flask import Flask, Response, g, request

from cds_hooks.outcome import Issue
from cds_hooks.trust import Reason, Rejected, Trust, check, names_client
from plugin import metrics, trust_file
from plugin.outside.jwks import Keys, KeysUnavailable
from plugin.settings import Settings
from plugin.store import replay
from plugin.store.engine import Engine
from plugin.store.errors import StoreUnavailable
from plugin.web.errors import outcome
from plugin.web.request_log import note

_ISSUE_TYPE = {Reason.MISSING: "login", Reason.EXPIRED: "expired"}
_RETRY_SECONDS = "5"


def add(app: Flask, settings: Settings, store: Engine) -> None:
    """Check the token of every call of the protocol; without a trust file tokens are ignored. Raises TrustFileError.

    `g.client` and `g.tenant` say afterwards who calls.
    """
    if settings.trust_file is None:
        return
    trust = trust_file.load(settings.trust_file)
    keys = Keys(trust.clients)
    first_seen = functools.partial(replay.first_seen, store)

    @app.before_request
    def authenticate() -> Response | None:
        asked = request._get_current_object()  # type: ignore[attr-defined]  # each use of the proxy is a look-up
        if asked.method == "OPTIONS" or not is_protocol(asked.path):
            return None
        audience = f"{settings.public_url or asked.root_url.rstrip('/')}{asked.path}"
        try:
            token = _token(asked.headers.getlist("Authorization"))
            caller = check(token, audience, time.time(), trust, keys.of, first_seen)
        except Rejected as rejected:
            return _rejected(rejected)
        except KeysUnavailable:
            return _not_now("keys-unavailable", "The keys of the token's issuer cannot be fetched at the moment.")
        except StoreUnavailable:
            return _not_now("store-unavailable", "Whether the token was used before cannot be looked up at the moment.")
        g.client, g.tenant = caller.issuer, caller.tenant
        return None


def may_send(path: str, authorization: list[str], trust: Trust | None) -> bool:
    """Whether a large body for this path is worth receiving: no other path takes any, and no stranger is answered."""
    if not is_protocol(path):
        return False
    if trust is None:
        return True
    try:
        return names_client(_token(authorization), trust)
    except Rejected:
        return False


def is_protocol(path: str) -> bool:
    """Whether a path is one of CDS Hooks: discovery, a service, or its feedback."""
    return path == "/cds-services" or path.startswith("/cds-services/")


def _token(sent: list[str]) -> str:
    scheme, _, token = ",".join(sent).partition(" ")
    if scheme.lower() != "bearer":
        words = "Registered clients only: send a JSON Web Token as `Authorization: Bearer`, as CDS Hooks describes it."
        raise Rejected(Reason.MISSING, words)
    return token.strip(" ")


def _rejected(rejected: Rejected) -> Response:
    metrics.count_untrusted(rejected.reason)
    note(reasons=[rejected.reason], **({"client": rejected.issuer} if rejected.issuer else {}))
    refused = outcome(401, (Issue(_ISSUE_TYPE.get(rejected.reason, "security"), rejected.words),))
    # RFC 6750: who sent no token is told of no error in it.
    error = (
        "" if rejected.reason is Reason.MISSING else f', error="invalid_token", error_description="{rejected.reason}"'
    )
    refused.headers["WWW-Authenticate"] = f'Bearer realm="cds-services"{error}'
    return refused


def _not_now(reason: str, words: str) -> Response:
    metrics.count_untrusted(reason)
    note(reasons=[reason])
    refused = outcome(503, (Issue("transient", f"{words} The same request may be sent again, with a new token."),))
    refused.headers["Retry-After"] = _RETRY_SECONDS
    return refused
