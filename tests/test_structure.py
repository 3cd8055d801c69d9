"""The shape of the tree: who imports whom, what is shipped, and what no file may hold.

Everything is read from the source text, so a forbidden import is found even where it never runs.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

PACKAGES: list[str] = PROJECT["tool"]["setuptools"]["packages"]
REQUIREMENTS: list[str] = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["dev"],
]

# The table of design: each package, and what else of ours it may import.
MAY_IMPORT: dict[str, set[str]] = {
    "cds_hooks": set(),
    "mappings": set(),
    "plugin": {"cds_hooks", "mappings"},
}
OURS = {*MAY_IMPORT, "tests"}

# A library that opens a door to the outside, and the one module or package that may open it.
DOORS = {
    "flask": "plugin/web/",
    "requests": "plugin/outside/",
    "sqlalchemy": "plugin/store/",
    "alembic": "plugin/store/",
    "jwt": "cds_hooks/trust.py",
    "prometheus_client": "plugin/metrics.py",
    "fhir.resources": "plugin/strict.py",
    "jsonschema": "mappings/book_files.py",
    "sqlite3": "mappings/ncci/store.py",
    "lxml": "mappings/plain_text.py",
    "striprtf": "mappings/plain_text.py",
    "openpyxl": "mappings/ncci/sheets.py",
}

MOST_LINES = 320

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][0-9a-z.]*)")

# Which index to install from is the installer's choice. Spelled so that the pattern does not find itself.
INDEX = re.compile(r"index[-_]url|find[-_]links", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])/(?:root|home|work|Users)/\w")

# What make, pip, git, the tools and one installation leave about; none of it is part of the source.
NOT_SOURCE = re.compile(r"\.(?!ci$|github$|gitignore$|dockerignore$).*|__pycache__|build|dist|.*\.(egg-info|log|db)")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def source_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if NOT_SOURCE.fullmatch(path.name) or (path / "pyvenv.cfg").exists():
            continue
        if path.is_dir():
            yield from source_files(path)
        else:
            yield path


def modules(*folders: str) -> list[Path]:
    found = (path for name in folders if (ROOT / name).is_dir() for path in source_files(ROOT / name))
    return [path for path in found if path.suffix == ".py"]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each import as its line and dotted name; relative ones are left to ruff, which refuses them."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from fhir import resources` reaches the same module as `from fhir.resources import R4B`.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def pins() -> dict[str, Version]:
    found = (PIN.fullmatch(line) for line in CONSTRAINTS)
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in found if pin}


in_each_module = pytest.mark.parametrize("path", modules(*MAY_IMPORT), ids=relative)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_is_there(package: str) -> None:
    """Each of the three packages exists, so that no test below passes for want of files."""
    assert (ROOT / package / "__init__.py").is_file(), f"{package}/__init__.py is missing."


@in_each_module
def test_import_arrows(path: Path) -> None:
    """A package imports of ours only itself and what the table allows."""
    package = path.relative_to(ROOT).parts[0]
    allowed = " and ".join(sorted(MAY_IMPORT[package])) or "nothing"
    forbidden = OURS - MAY_IMPORT[package] - {package}
    wrong = [
        f"{relative(path)}:{line}: imports {name}, but of ours {package} may import {allowed}."
        for line, name in imports(path)
        if name.split(".")[0] in forbidden
    ]
    assert not wrong, "\n".join(wrong)


@in_each_module
def test_doors(path: Path) -> None:
    """A library that opens a door to the outside is imported by one module or package only."""
    wrong = [
        f"{relative(path)}:{line}: imports {library}, which only {door} may."
        for line, name in imports(path)
        for library, door in DOORS.items()
        if f"{name}.".startswith(f"{library}.") and not relative(path).startswith(door)
    ]
    assert not wrong, "\n".join(wrong)


@in_each_module
def test_module_length(path: Path) -> None:
    """A module stays short enough to be read in one go."""
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= MOST_LINES, f"{relative(path)}:{count}: is too long: {MOST_LINES} lines are the most."


@in_each_module
def test_module_is_packaged(path: Path) -> None:
    """A folder that holds a module is listed as a package in pyproject.toml."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    assert package in PACKAGES, (
        f"{relative(path)}:1: will not be shipped: pyproject.toml does not list the package {package}."
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_listed_package_exists(package: str) -> None:
    """A package that pyproject.toml lists is a folder with an __init__.py."""
    init = ROOT.joinpath(*package.split("."), "__init__.py")
    assert init.is_file(), f"pyproject.toml lists the package {package}, but {relative(init)} is missing."


@pytest.mark.parametrize("path", modules("tests"), ids=relative)
def test_docstrings_of_tests(path: Path) -> None:
    """Every test says in its docstring what it claims."""
    wrong = [
        f"{relative(path)}:{node.lineno}: {node.name} has no docstring that states its claim."
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip()
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", list(source_files(ROOT)), ids=relative)
def test_nothing_of_one_machine(path: Path) -> None:
    """No file names a package index or a path of the machine that it was written on."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return  # an image or the like
    wrong = [
        f"{relative(path)}:{number}: names {what}: {line.strip()[:80]}"
        for number, line in enumerate(lines, start=1)
        for pattern, what in ((INDEX, "a package index"), (MACHINE, "a path of one machine"))
        if pattern.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_constraints_are_pins() -> None:
    """Every line of constraints.txt is a comment or one name, not named before, with one exact version."""
    wrong = [
        f"constraints.txt:{number}: is not of the form name==version: {line}"
        for number, line in enumerate(CONSTRAINTS, start=1)
        if not line.startswith("#") and not PIN.fullmatch(line)
    ]
    assert not wrong, "\n".join(wrong)
    count = sum(not line.startswith("#") for line in CONSTRAINTS)
    assert len(pins()) == count, "constraints.txt pins a name twice."


@pytest.mark.parametrize("text", sorted(set(REQUIREMENTS)))
def test_requirement_is_pinned(text: str) -> None:
    """What pyproject.toml asks for is pinned to a version that it allows."""
    requirement = Requirement(text)
    pinned = pins().get(canonicalize_name(requirement.name))
    assert pinned is not None, f"constraints.txt does not pin {text}, which pyproject.toml asks for."
    assert pinned in requirement.specifier, f"constraints.txt pins {pinned}; pyproject.toml asks for {text}."
