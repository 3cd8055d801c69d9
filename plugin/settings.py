"""The settings of an installation, read from environment variables that begin with VISITCUE_."""

import os
from pathlib import Path

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL = frozenset(
    {"base_book", "claim_hook", "fetch_seconds", "data_dir", "max_body_bytes", "body_seconds", "wait_seconds"}
)
"""The settings that make no request wait for another server."""


class Settings(BaseSettings):
    """Every setting with its default; the defaults run on a fresh machine."""

    model_config = SettingsConfigDict(env_prefix="VISITCUE_")

    base_book: str = Field(default="hns", description="The practice's rule book where a payer is not recognised.")
    claim_hook: str = Field(
        default="org.visitcue.claim-submit", description="The name under which the claim hook is announced."
    )
    fhir_servers: list[str] = Field(
        default=[],
        description="Base addresses of FHIR servers that missing prefetch may be read from, as a JSON list."
        " A request that names another server is answered from its prefetch alone.",
    )
    fetch_seconds: float = Field(
        default=2.0, description="How long reading missing prefetch may take, all keys together."
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("visitcue", appauthor=False),
        description="Where the installation keeps what was imported into it, such as the official NCCI tables.",
    )
    max_body_bytes: int = Field(default=8_000_000, description="The largest request body that is read.")
    body_seconds: float = Field(default=10.0, gt=0, description="How long a request body may take to arrive.")
    wait_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long a request may wait for a free thread; one that waited longer is answered with 503.",
    )

    @field_validator("data_dir", mode="before")
    @classmethod
    def _whole_path(cls, value: str | Path) -> Path:
        """A relative folder would be another one for each place in which a command is called."""
        try:
            path = Path(value).expanduser()
        except RuntimeError:
            raise ValueError(f"there is no home folder for the {str(value)!r} in it") from None
        if not path.is_absolute():
            raise ValueError(f"expected the whole path of a folder, such as /var/lib/visitcue, not {str(value)!r}")
        for one in (path, *path.parents):
            if os.path.lexists(one) and not os.path.isdir(one):  # noqa: PTH112 - no errors for what cannot be seen
                raise ValueError(f"{one} is no folder; expected one, in which imported tables are stored")
        return path

    @property
    def waits_for_others(self) -> bool:
        """Whether a request may have to wait for another server, which needs a thread of its own.

        Every setting that is not known to be of this machine alone counts, so that a new one is on the safe side.
        """
        return bool(self.model_fields_set - LOCAL)

    @property
    def ncci_folder(self) -> Path:
        """Where the imported NCCI tables are."""
        return self.data_dir / "ncci"
