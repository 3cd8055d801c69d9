"""The examples of the description, as they have to be: `python -m tests.openapi_examples` writes them anew."""

import json
from pathlib import Path

from plugin.services import services
from plugin.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("order-sign-pt-clean", "claim-submit-pt-medicare-faulty", "encounter-discharge-pt-clean")
FILE = ROOT / "plugin" / "openapi_examples.json"


def shown() -> str:
    """The text of the file that is shipped: the examples without white space, by service and name."""
    ids = {name: one.service.id for one in services(Settings()) for name in one.service.hook.names}
    found: dict[str, dict[str, object]] = {}
    for name in SHOWN:
        request = json.loads((ROOT / "examples" / f"{name}.json").read_bytes())
        found.setdefault(ids[request["hook"]], {})[name] = request
    return json.dumps(found, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    FILE.write_text(shown(), encoding="utf-8")
