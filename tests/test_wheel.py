"""The wheel holds what the source tree holds, and works where there is no source tree.

Everything else in this suite runs from the checkout, where a module or a rule file that was forgotten in the
wheel is there all the same. Here the wheel is built, installed into an environment of its own, and used from
another folder.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cds_hooks", "mappings", "plugin")

# Asks the service for what it offers, then calls the first service for the example's hook, as an EHR would.
CLIENT = """
import json, sys
from pathlib import Path
from plugin.web.app import create_app

body = json.loads(Path(sys.argv[1]).read_bytes())
client = create_app().test_client()
discovery = client.get("/cds-services")
ids = [service["id"] for service in discovery.get_json()["services"] if service["hook"] == body["hook"]]
answer = client.post(f"/cds-services/{ids[0]}", json=body)
print(json.dumps([discovery.status_code, answer.status_code, answer.get_json()]))
"""


def environment() -> dict[str, str]:
    """This environment without what would lead Python or pip back to the checkout or to other versions."""
    misleading = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"}
    return {name: value for name, value in os.environ.items() if name not in misleading}


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=300
    )


def succeed(folder: Path, *command: str | Path) -> str:
    done = run(folder, *command)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools takes up what an earlier build left in build/."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    succeed(source, sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds the wheel, what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    succeed(folder, sys.executable, "-m", "venv", "venv")
    commands = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / "constraints.txt"
    pip = run(folder, commands / "python", "-m", "pip", "install", "--constraint", constraints, wheel)
    if pip.returncode and "connection broken by" in pip.stderr and os.environ.get("CI") != "true":
        pytest.skip("The package index, from which the wheel's requirements come, cannot be reached.")
    assert pip.returncode == 0, f"The wheel cannot be installed:\n{pip.stdout}\n{pip.stderr}"
    return commands


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder outside the checkout that holds nothing but a hook request, as example.json."""
    examples = sorted((ROOT / "examples").glob("*-clean.json"))
    assert examples, "examples/ holds no clean example; the first one is the hook request that this test sends."
    shutil.copy(examples[0], tmp_path / "example.json")
    return tmp_path


def test_wheel_holds_every_file(wheel: Path) -> None:
    """The wheel holds every file of the three packages, module or data, and nothing of any other folder."""
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert not expected - shipped, (
        f"[tool.setuptools] in pyproject.toml leaves out of the wheel: {sorted(expected - shipped)}"
    )
    assert not shipped - expected, f"The wheel holds what no package does: {sorted(shipped - expected)}"


def test_wheel_holds_the_licence(wheel: Path) -> None:
    """The wheel carries the licence that it is given under."""
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names), names


def test_installed_command(installed: Path, elsewhere: Path) -> None:
    """The installed command explains itself."""
    assert "review" in succeed(elsewhere, installed / "visitcue", "--help")


def test_installed_review(installed: Path, elsewhere: Path) -> None:
    """The installed command reviews an example without the checkout, and prints JSON."""
    json.loads(succeed(elsewhere, installed / "visitcue", "review", "example.json", "--json"))


def test_installed_service(installed: Path, elsewhere: Path) -> None:
    """The installed service lists its services and answers a call with cards."""
    # -I keeps the current folder and the user's own packages out of the import path.
    printed = succeed(elsewhere, installed / "python", "-I", "-c", CLIENT, "example.json")
    discovery, answered, body = json.loads(printed.splitlines()[-1])
    assert (discovery, answered) == (200, 200), body
    assert "cards" in body
