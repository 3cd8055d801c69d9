"""The suite keeps away from what the machine that it runs on has set and stored."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AT_IMPORT = ("tests/test_openapi.py", "tests/test_openapi_fuzz.py", "tests/test_conformance_hooks.py")
"""Modules that make an application, or read settings, when they are imported, which is before any fixture."""


def test_apart(tmp_path: Path) -> None:
    """A variable of an installation, be it a wrong one, is of no account, and nothing is read or made in its store."""
    store = tmp_path / "data" / "visitcue" / "visitcue.sqlite"
    store.parent.mkdir(parents=True)
    store.write_text("no database at all")
    variables = {
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "VISITCUE_DATA_DIR": str(tmp_path / "own"),
        "VISITCUE_FETCH_SECONDS": "not-a-number",
        "VISITCUE_TRUST_FILE": "not-there",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *AT_IMPORT],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "data", store.parent, store]
