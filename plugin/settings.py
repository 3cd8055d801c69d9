"""The settings of an installation, read from environment variables that begin with VISITCUE_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    max_body_bytes: int = Field(default=8_000_000, description="The largest request body that is read.")
