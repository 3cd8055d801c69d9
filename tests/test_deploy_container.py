"""The container and what stands around it, as far as can be seen without an engine to run them."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from plugin.settings import Settings
from plugin.web.app import create_app

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE_TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTRUCTIONS = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def instruction(name: str) -> list[str]:
    """What follows the instructions of a name, in the order of the Dockerfile."""
    return [words for one, words in INSTRUCTIONS if one == name]


def test_lint() -> None:
    """Hadolint has nothing to say about the Dockerfile."""
    tool = Path(sys.executable).parent / "hadolint"
    done = subprocess.run((tool, DEPLOY / "Dockerfile"), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_there() -> None:
    """What the image is built from is there, and is let through to the builder; nothing else is."""
    copied = {source for words in instruction("COPY") if "--from" not in words for source in shlex.split(words)[:-1]}
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} == copied


def test_image_is_not_root() -> None:
    """The container runs as a number that is not root's, set after the last step that needs root."""
    assert instruction("USER") == ["10001:10001"]
    assert DOCKERFILE.index("\nUSER") > DOCKERFILE.rindex("\nRUN")


def test_base_is_an_argument() -> None:
    """Both stages begin with the base image that the build was told."""
    assert DOCKERFILE.startswith("#")
    assert [words.split()[0] for words in instruction("FROM")] == ["${BASE_IMAGE}", "${BASE_IMAGE}"]
    assert len(instruction("ARG")) == 1


def test_image_starts_only_with_trust() -> None:
    """The image's command does not answer everybody: it names no --insecure, and without a trust file it ends."""
    (command,) = instruction("CMD")[-1:]
    words = json.loads(command)
    assert words[:2] == ["visitcue", "serve"]
    assert "--insecure" not in words
    executable = Path(sys.executable).parent / words[0]
    done = subprocess.run((executable, *words[1:]), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "VISITCUE_TRUST_FILE" in done.stderr


def test_health_check_asks_what_there_is() -> None:
    """The image's health check asks for a route that the service has, on the port that it exposes."""
    (check,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", instruction("HEALTHCHECK")[0])
    assert check[0] == instruction("EXPOSE")[0]
    assert check[1] in {rule.rule for rule in create_app().url_map.iter_rules()}


def test_variables_of_the_image() -> None:
    """The image sets no variable of ours that is no setting."""
    named = set(re.findall(r"VISITCUE_\w+", "".join(instruction("ENV"))))
    assert named <= {f"VISITCUE_{name.upper()}" for name in Settings.model_fields}


def test_compose_follows_its_specification() -> None:
    """compose.yaml is what the Compose specification allows; no key of it is unknown."""
    assert set(PyCompose.from_yaml(COMPOSE_TEXT).service_names()) == set(SERVICES)


def test_compose_names_what_it_has() -> None:
    """Every secret, volume and network that a service names is defined, and every one that is defined is used."""
    for kind in ("secrets", "networks"):
        named = {
            one if isinstance(one, str) else one["source"]
            for service in SERVICES.values()
            for one in service.get(kind, ())
        }
        assert named == set(COMPOSE[kind])
    mounted = {one.split(":")[0] for service in SERVICES.values() for one in service.get("volumes", ())}
    assert {one for one in mounted if not one.startswith(".")} == set(COMPOSE["volumes"])
    assert [one for one in mounted if one.startswith(".") and not (DEPLOY / one).exists()] == []


def test_compose_publishes_the_proxy_alone() -> None:
    """Only the proxy has a port outside; the database is in a network without a way out, and apart from the proxy."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["back"]
    assert SERVICES["proxy"]["networks"] == ["front"]


@pytest.mark.parametrize("name", ["visitcue", "proxy"])
def test_compose_gives_no_more_than_needed(name: str) -> None:
    """What faces the network has a read-only file system, no capability, and no way to gain one."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_holds_no_secret() -> None:
    """Secrets are files that are not part of the checkout, and stand in no variable."""
    assert {Path(one["file"]).parts[0] for one in COMPOSE["secrets"].values()} == {"secrets"}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"deploy/secrets/", "deploy/visitcue.env"} <= set(ignored)
    names = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert [name for name in names if re.search("PASSWORD$|TOKEN|_URL", name)] == []


def test_secrets_of_compose_are_settings() -> None:
    """A secret that is called like a setting is one, and the trust file is where its setting says."""
    ours = [one for one in SERVICES["visitcue"]["secrets"] if isinstance(one, str)]
    assert ours
    assert {one.removeprefix("visitcue_") for one in ours} <= set(Settings.model_fields)
    environment = SERVICES["visitcue"]["environment"]
    (trust,) = [one["target"] for one in SERVICES["visitcue"]["secrets"] if not isinstance(one, str)]
    assert environment["VISITCUE_TRUST_FILE"] == f"{environment['VISITCUE_SECRETS_DIR']}/{trust}"


def test_faulty_compose_is_found() -> None:
    """The check of compose.yaml finds a key that the specification does not have."""
    with pytest.raises(ValueError, match="read_onli"):
        PyCompose.from_yaml(COMPOSE_TEXT.replace("read_only", "read_onli"))
