"""Reading feedback (CDS Hooks 2.0.1, section Feedback), in the shapes that clients have sent over time.

    {"feedback": [{"card": .., "outcome": "accepted", "acceptedSuggestions": [{"id": ..}], "outcomeTimestamp": ..},
                  {"card": .., "outcome": "overridden", "outcomeTimestamp": ..,
                   "overrideReason": {"reason": {"code": .., "system": ..}, "userComment": ..}}]}

Drafts of 2020 had one such entry as the whole body, and the reason's code directly in `overrideReason`; the Sandbox
sent both for a while (cds-hooks/sandbox, pull requests 133 and 139).
"""

import datetime as dt
import re
import uuid
from typing import Literal, TypeVar, cast

import msgspec

from cds_hooks.outcome import Issue, Refusal, bad_request, not_as_expected

Outcome = Literal["accepted", "overridden"]
OUTCOMES = ("accepted", "overridden")
MOST_ENTRIES = 1000
"""The most entries of one body, and the most accepted suggestions of one entry."""


class Reason(msgspec.Struct, frozen=True):
    """Why a card was overridden, as the client's coding says; `system` is "" where none was sent."""

    code: str
    system: str = ""


class Feedback(msgspec.Struct, frozen=True):
    """What became of one card. `at` is in UTC; `suggestions` are those that were accepted.

    Of a user's comment only `commented` tells: it is free text, in which a patient may be named.
    """

    card: uuid.UUID
    outcome: Outcome
    at: dt.datetime
    suggestions: tuple[uuid.UUID, ...] = ()
    reason: Reason | None = None
    commented: bool = False


class _Suggestion(msgspec.Struct):
    id: str


class _Coding(msgspec.Struct):
    code: str
    system: str | None = None


class _Override(msgspec.Struct, rename="camel"):
    reason: _Coding | None = None
    user_comment: str | None = None
    code: str | None = None
    system: str | None = None


class _Entry(msgspec.Struct, rename="camel"):
    card: str
    outcome: str
    outcome_timestamp: str
    accepted_suggestions: list[_Suggestion] | None = None
    override_reason: _Override | None = None


class _Body(msgspec.Struct):
    feedback: list[_Entry]


class _Form(msgspec.Struct):
    """What tells the shapes apart."""

    feedback: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    card: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_T = TypeVar("_T")
_FORM, _MANY, _ONE = msgspec.json.Decoder(_Form), msgspec.json.Decoder(_Body), msgspec.json.Decoder(_Entry)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def read_feedback(body: bytes) -> tuple[Feedback, ...]:
    """The feedback in a body; raises Refusal (400, or 413 for more entries than are read) with the JSON path."""
    form = _decoded(_FORM, body)
    if form.feedback is msgspec.UNSET and form.card is not msgspec.UNSET:
        return (_feedback(_decoded(_ONE, body), "", alone=True),)
    entries = _decoded(_MANY, body).feedback
    _bounded(entries, "feedback")
    return tuple(_feedback(entry, f"feedback[{place}].", alone=False) for place, entry in enumerate(entries))


def _feedback(entry: _Entry, at: str, *, alone: bool) -> Feedback:
    """One entry, checked. The draft that sent one entry alone did not always say which suggestions were accepted."""
    if entry.outcome not in OUTCOMES:
        raise bad_request(f"{at}outcome", "expected 'accepted' or 'overridden'.", "value")
    accepted = entry.accepted_suggestions or []
    if entry.outcome == "accepted" and not accepted and not alone:
        raise bad_request(f"{at}acceptedSuggestions", "an accepted card names the suggestions.", "required")
    _bounded(accepted, f"{at}acceptedSuggestions")
    of_suggestions = [_uuid(one.id, f"{at}acceptedSuggestions[{place}].id") for place, one in enumerate(accepted)]
    told = Feedback(
        card=_uuid(entry.card, f"{at}card"),
        outcome=cast(Outcome, entry.outcome),
        at=_instant(entry.outcome_timestamp, f"{at}outcomeTimestamp"),
    )
    if told.outcome == "accepted":
        return msgspec.structs.replace(told, suggestions=tuple(dict.fromkeys(of_suggestions)))
    override = entry.override_reason or _Override()
    return msgspec.structs.replace(told, reason=_reason(override), commented=bool(override.user_comment))


def _reason(override: _Override) -> Reason | None:
    if override.reason is not None:
        return Reason(override.reason.code, override.reason.system or "")
    return Reason(override.code, override.system or "") if override.code else None


def _uuid(text: str, path: str) -> uuid.UUID:
    """A UUID of our answer. Upper case is taken: a client may hold UUIDs as numbers and print them in its own way."""
    if not _UUID.fullmatch(text):
        raise bad_request(path, "expected the uuid that came with the card or the suggestion.", "value")
    return uuid.UUID(text)


def _instant(text: str, path: str) -> dt.datetime:
    try:
        moment = msgspec.convert(text, dt.datetime)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (msgspec.ValidationError, OverflowError):
        pass
    raise bad_request(path, "expected an RFC 3339 date and time, such as 2026-03-02T10:15:00Z.", "value")


def _bounded(listed: list[_T], path: str) -> None:
    if len(listed) > MOST_ENTRIES:
        raise Refusal(413, Issue("too-costly", f"{path}: at most {MOST_ENTRIES} entries are read at once.", path))


def _decoded(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise not_as_expected(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request("", f"The body is not JSON: {error}.", "structure") from None
    except RecursionError:
        raise bad_request("", "The JSON is nested too deeply.", "too-costly") from None
