"""The client's FHIR access (CDS Hooks, section FHIR Resource Access): a token that cannot be shown by accident."""

import re

import msgspec

from cds_hooks.outcome import bad_request

_NUMBER = re.compile(r"\s*(-?[0-9]{1,12}(?:\.[0-9]{1,6})?)\s*")


class AccessToken(msgspec.Struct, frozen=True, dict=True):
    """A bearer token that shows as `***`: as text, in a format, as JSON, in a log line, in a pickle, to a debugger.

    What it was made of is kept in a closure and comes back from `reveal` alone; a copy or a pickle has lost it.
    """

    shown: str = "***"

    @classmethod
    def of(cls, secret: str) -> "AccessToken":
        """A token that hides this text."""
        token = cls()
        token.__dict__["_secret"] = lambda: secret
        return token

    def reveal(self) -> str:
        """The token itself, for the one header that carries it to the client's FHIR server."""
        secret: str = self.__dict__["_secret"]()
        return secret

    def __repr__(self) -> str:
        return self.shown

    __str__ = __repr__


class Authorization(msgspec.Struct, frozen=True):
    """What the client grants: the token for its FHIR server, and for whom and what it says that it is good.

    `expires_in` is in seconds, counted from when the client got the token; None where it does not say. `patient` is an
    id without the type. `scope` and `patient` are "" where the client does not say.
    """

    token: AccessToken
    expires_in: float | None = None
    scope: str = ""
    patient: str = ""


class Sent(msgspec.Struct):
    """`fhirAuthorization` as it is sent; tokens of real servers come without `expires_in`, or have it as a string."""

    access_token: str
    token_type: str | None = None
    expires_in: int | float | str | None = None
    scope: str | None = None
    subject: str | None = None
    patient: str | None = None


def authorization(sent: Sent) -> Authorization:
    """The access that was sent; raises Refusal (400) for another kind of token than a bearer token."""
    if sent.token_type is not None and sent.token_type.lower() != "bearer":
        raise bad_request("fhirAuthorization.token_type", 'expected "Bearer".', "value")
    expires_in = sent.expires_in
    if isinstance(expires_in, str):
        number = _NUMBER.fullmatch(expires_in)
        if number is None:
            raise bad_request("fhirAuthorization.expires_in", "expected a number of seconds, such as 300.", "value")
        expires_in = float(number[1])
    return Authorization(
        token=AccessToken.of(sent.access_token),
        expires_in=expires_in,
        scope=sent.scope or "",
        patient=(sent.patient or "").removeprefix("Patient/"),
    )
