"""The pages on the settings, written from the class that reads them: docs/configuration.md and deploy/env.example."""

import json
from textwrap import fill
from typing import Any

from plugin.settings import PREFIX, SECRETS_DIR, Settings

PAGE, EXAMPLE = "docs/configuration.md", "deploy/env.example"

MADE = {"data_dir": ("the user's data folder", "/var/lib/visitcue")}
"""Defaults that depend on the machine: in words, and as an example."""

_KINDS = {
    "array": "a JSON list of texts",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "number": "a number",
    "password": "a secret",
    "path": "a path",
    "string": "text",
}
_LIMITS = {
    "exclusiveMinimum": "above {}",
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "{} characters or more",
}

Schema = dict[str, Any]


def page(mark: str) -> str:
    """docs/configuration.md; `mark` is the line by which pages that we write are known."""
    rows = "\n".join(
        f"| `{variable(name)}` | {_default_cell(name, one)} | {_kind(one)} | {one['description']} |"
        for name, one in _settings().items()
    )
    return f"""{mark}

# Settings

VisitCue is set up by environment variables. None is needed to try it; [env.example](../{EXAMPLE}) has all of
them to copy from. They are read once, when the service starts: restart it after a change. A value that cannot be used
stops the start with one sentence that names the setting, and does not show the value.

**Lists are JSON**, with double quotation marks inside: `{variable("cors_origins")}=["https://ehr.example.org"]`.

**A setting may be a file.** Where `{SECRETS_DIR}` names a folder, a setting that is not in the environment is read
from the file of its name there, such as `{variable("database_url").lower()}`, in lower or upper case; blanks and line
breaks around the value do not count. Docker and Kubernetes hand over secrets that way, and it is better than the
environment, which whoever may inspect the container can read. What stands in the environment wins.

**Address, port and workers** are options of the command: `visitcue serve --host 127.0.0.1 --port 8000 --workers 2`.

| name | unless set | value | meaning |
|---|---|---|---|
{rows}
"""


def example(mark: str) -> str:
    """deploy/env.example: every setting with what it is unless set, behind a `#`."""
    parts = [
        f"# {mark}\n# Take the # away before what you change. No quotation marks around values: some readers keep them."
    ]
    for name, one in _settings().items():
        shown = MADE[name][1] if name in MADE else _text(one.get("default"))
        words = fill(one["description"], 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        parts.append(f"{words}\n# Value: {_kind(one)}.\n#{variable(name)}={shown}")
    return "\n\n".join(parts) + "\n"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _settings() -> dict[str, Schema]:
    """Each setting as its JSON Schema; one that may be missing as what it is where it is there."""
    listed: dict[str, Schema] = Settings.model_json_schema()["properties"]
    return {name: {**one, **one.get("anyOf", [{}])[0]} for name, one in listed.items()}


def _kind(one: Schema) -> str:
    if "enum" in one:
        return "one of " + ", ".join(f"`{choice}`" for choice in one["enum"])
    words = _KINDS.get(one.get("format", ""), _KINDS[one["type"]])
    return ", ".join((words, *(limit.format(one[key]) for key, limit in _LIMITS.items() if key in one)))


def _default_cell(name: str, one: Schema) -> str:
    value = _text(one.get("default"))
    return MADE[name][0] if name in MADE else f"`{value}`" if value else "nothing"


def _text(default: object) -> str:
    """A default as it would stand in the environment."""
    if default is None:
        return ""
    return default if isinstance(default, str) else json.dumps(default)
