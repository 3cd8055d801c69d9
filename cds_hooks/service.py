"""Services and the discovery document (CDS Hooks 2.0.1, section Discovery)."""

import re

import msgspec

_COUNT = re.compile(r"[?&]_count=([0-9]+)")


class Prefetch(msgspec.Struct, frozen=True):
    """One prefetch key: its template, whether the answer needs it, and why, in words for the integrator."""

    query: str
    needed: bool
    why: str

    @property
    def kind(self) -> str:
        """The type of resource that the template asks for."""
        return self.query.split("?", 1)[0].split("/", 1)[0]

    @property
    def count(self) -> int | None:
        """How many results the template asks for in one page; None where it leaves that to the server."""
        found = _COUNT.search(self.query)
        return int(found[1]) if found else None


class Hook(msgspec.Struct, frozen=True):
    """A hook's contract: its names (the first is announced) and its context.

    `resource` is the context field that carries FHIR ("" where there is none). `version` is that of the hook's
    published page, "" where the page leaves in doubt which one it is.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    resource: str = ""
    version: str = ""


class Service(msgspec.Struct, frozen=True):
    """A service as discovery announces it."""

    id: str
    hook: Hook
    title: str
    description: str
    usage_requirements: str
    prefetch: dict[str, Prefetch]


SPECIFICATION_VERSION = "2.0.1"
"""The release of CDS Hooks that the services implement, as discovery's `version` states it."""


def discovery(services: tuple[Service, ...]) -> dict[str, list[dict[str, object]]]:
    """The body of GET /cds-services."""
    return {
        "services": [
            {
                "hook": service.hook.names[0],
                "id": service.id,
                "title": service.title,
                "description": service.description,
                "version": SPECIFICATION_VERSION,
                **({"hookVersion": service.hook.version} if service.hook.version else {}),
                "usageRequirements": service.usage_requirements,
                "prefetch": {key: part.query for key, part in service.prefetch.items()},
            }
            for service in services
        ]
    }
