"""Log lines: JSON, one a request, with no word of a patient, a body or a token in them."""

import sys

import msgspec
import structlog


def configure_logs() -> None:
    """Write log lines as JSON to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def _as_json(event: object, **_: object) -> bytes:
    return msgspec.json.encode(event)
