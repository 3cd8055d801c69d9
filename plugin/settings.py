"""The settings of an installation, read from environment variables that begin with VISITCUE_."""

from pathlib import Path

import platformdirs
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
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("visitcue", appauthor=False),
        description="Where the installation keeps what was imported into it, such as the official NCCI tables.",
    )
    max_body_bytes: int = Field(default=8_000_000, description="The largest request body that is read.")

    @property
    def ncci_folder(self) -> Path:
        """Where the imported NCCI tables are."""
        return self.data_dir / "ncci"
