"""The settings of an installation, read from environment variables that begin with VISITCUE_, or from files.

The file of a setting has its name, in the folder that VISITCUE_SECRETS_DIR names; the environment goes first.
"""

import os
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from mappings.fhir.payer import marked
from mappings.fhir.record import Practice
from plugin import addresses
from plugin.logs import Level
from plugin.web_addresses import web_address, web_origin

PREFIX = "VISITCUE_"
SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
LOCAL = frozenset(
    {
        "base_book", "claim_hook", "zelis_plans", "minutes_extensions", "fetch_seconds", "fetch_pages", "fetch_bytes",
        "data_dir", "keep_days", "log_level", "metrics_token", "max_body_bytes", "body_seconds", "wait_seconds",
        "public_url", "insecure", "cors_origins",
    }
)  # fmt: skip
"""The settings that make no request wait for another server."""


class Settings(BaseSettings):
    """Every setting with its default; the defaults run on a fresh machine."""

    # A fault is told without the value: it may hold a password.
    model_config = SettingsConfigDict(env_prefix=PREFIX, hide_input_in_errors=True)

    base_book: str = Field(default="hns", description="The practice's rule book where a payer is not recognised.")
    claim_hook: str = Field(
        default="org.visitcue.claim-submit", description="The name under which the claim hook is announced."
    )
    zelis_plans: list[str] = Field(
        default=[],
        description="Plans that Zelis edits, as a JSON list of names as the EHR prints them, or of payer identifiers.",
    )
    minutes_extensions: list[str] = Field(
        default=[],
        description="URLs of the EHR's own extensions that hold the minutes of a service, as a JSON list.",
    )
    fhir_networks: list[str] = Field(
        default=[],
        description='Private networks that FHIR servers may be in, as a JSON list such as ["10.20.0.0/16"].',
    )
    fhir_servers: list[str] = Field(
        default=[],
        description="Base addresses of FHIR servers that missing prefetch may be read from, as a JSON list."
        " A request that names another server is answered from its prefetch alone.",
    )
    fhir_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) by which FHIR servers are checked instead of the public ones.",
    )
    fetch_seconds: float = Field(
        default=2.0, gt=0, le=60, description="How long reading missing prefetch may take, all keys together."
    )
    fetch_pages: int = Field(default=10, ge=1, le=1000, description="The most pages that are read of one search.")
    fetch_bytes: int = Field(
        default=5_000_000, ge=1000, description="The largest answer to one search that is read, all pages together."
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("visitcue", appauthor=False),
        description="Where the installation keeps what was imported into it, such as the official NCCI tables.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL database for feedback and used tokens, as postgresql://user:password@host/database;"
        " without it they are kept in a SQLite file in data_dir.",
    )
    keep_days: int = Field(
        default=400, ge=0, description="How many days shown cards and their feedback are kept; 0 keeps all."
    )
    log_level: Annotated[Level, BeforeValidator(str.lower)] = Field(
        default="info", description="The lowest level of log lines that are written."
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="The bearer token that /metrics asks for. Without one, /metrics answers this machine alone.",
    )
    max_body_bytes: int = Field(default=8_000_000, description="The largest request body that is read.")
    body_seconds: float = Field(default=10.0, gt=0, description="How long a request body may take to arrive.")
    wait_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long a request may wait for a free thread; one that waited longer is answered with 503.",
    )
    trust_file: Path | None = Field(
        default=None,
        description="The TOML file of the clients that may call, with their keys; without it tokens are ignored.",
    )
    public_url: str = Field(
        default="",
        description="The address under which clients reach the service, such as https://visitcue.example.org; the `aud`"
        " of a token is compared with it.",
    )
    insecure: bool = Field(
        default=False, description="Whether anybody who can reach the service may call it, also from other machines."
    )
    cors_origins: list[str] = Field(
        default=["*"],
        description='Origins of web pages that may call, as a JSON list such as ["https://ehr.example.org"].',
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library names all of them
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - its folder is one that does not change
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, the first that has one wins."""
        folder = os.environ.get(SECRETS_DIR, "")
        if not folder:
            return init_settings, env_settings
        if not Path(folder).is_dir():  # the library would only warn, and go on without the secrets
            raise SettingsError(f"{SECRETS_DIR}: {folder} is no folder; expected one with a file for each secret.")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, folder)

    @field_validator("public_url")
    @classmethod
    def _public_address(cls, value: str) -> str:
        return web_address(value) if value else ""

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        return value if value == ["*"] else [web_origin(one) for one in value]

    @field_validator("trust_file", mode="before")
    @classmethod
    def _named_file(cls, value: str | Path | None) -> str | Path | None:
        return value or None

    @field_validator("fhir_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [str(addresses.network(one)) for one in value]

    @field_validator("fhir_servers")
    @classmethod
    def _servers(cls, value: list[str], info: ValidationInfo) -> list[str]:
        networks = [addresses.network(one) for one in info.data.get("fhir_networks", ())]
        return [addresses.fhir_server(one, networks) for one in value]

    @field_validator("fhir_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            addresses.check_certificates(value)
        return value

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
    def practice(self) -> Practice:
        """What the installation is told of its own record."""
        return Practice(
            minutes_urls=frozenset(self.minutes_extensions),
            zelis_plans=frozenset(marked(plan) for plan in self.zelis_plans),
        )

    @property
    def why_not_reached(self) -> str:
        """Why only this machine may call; "" where others may."""
        if self.insecure or (self.trust_file and self.public_url):
            return ""
        if self.trust_file:
            return "the address that tokens are meant for is not known: set VISITCUE_PUBLIC_URL to it"
        return (
            "it does not know who may call: name them in VISITCUE_TRUST_FILE, or let anybody in with `--insecure`"
            " or VISITCUE_INSECURE=true"
        )

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
