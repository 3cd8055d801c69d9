"""The manifests: valid for the cluster, closed as far as they can be, and about what the service has."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from plugin.settings import Settings
from plugin.web.app import create_app

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
Manifest = dict[str, Any]

in_each = pytest.mark.parametrize("overlay", OVERLAYS)


@pytest.fixture(scope="module")
def built() -> dict[str, list[Manifest]]:
    """What each overlay gives to the cluster."""
    tool = shutil.which("kubectl")
    if tool is None:
        pytest.skip("kubectl is not installed, which puts base and overlay together.")
    done = {
        name: subprocess.run(
            (tool, "kustomize", FOLDER / "overlays" / name), capture_output=True, check=True, timeout=60
        )
        for name in OVERLAYS
    }
    return {name: list(yaml.safe_load_all(one.stdout)) for name, one in done.items()}


def of(kind: str, manifests: list[Manifest]) -> Manifest:
    """The only manifest of a kind."""
    (one,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return one


def pod(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = of("Deployment", manifests)["spec"]["template"]["spec"]
    return spec


def files() -> Iterator[Path]:
    """Every manifest, but for those that are no whole ones: patches, and what kustomize alone reads."""
    patches = {
        path.parent / patch["path"]
        for path in FOLDER.rglob("kustomization.yaml")
        for patch in yaml.safe_load(path.read_text(encoding="utf-8")).get("patches", ())
    }
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name not in {"kustomization.yaml", "deployment.yaml"} and path not in patches:
            yield path


@pytest.mark.parametrize("path", [*files()], ids=lambda path: path.name)
def test_file_is_valid(path: Path) -> None:
    """A manifest that is whole by itself is one that the cluster knows."""
    for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


@in_each
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_overlay_is_valid(built: dict[str, list[Manifest]], overlay: str, version: str) -> None:
    """What an overlay gives is valid for old and new clusters, with no field that they do not know."""
    for manifest in built[overlay]:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_faulty_manifest_is_found(built: dict[str, list[Manifest]]) -> None:
    """The check finds a field that a cluster does not know."""
    faulty = {**of("Deployment", built["small"]), "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(faulty, NEWEST, strict=True)


@in_each
def test_pod_is_restricted(built: dict[str, list[Manifest]], overlay: str) -> None:
    """Pods keep to the restricted standard of the cluster, write no file system of theirs, and hold no key of it."""
    spec = pod(built[overlay])
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@in_each
def test_probes_ask_what_there_is(built: dict[str, list[Manifest]], overlay: str) -> None:
    """Probes ask for routes that the service has: restart on live, traffic on ready."""
    (container,) = pod(built[overlay])["containers"]
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: one["path"] for kind, one in asked.items()} == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    assert {one["path"] for one in asked.values()} <= {rule.rule for rule in create_app().url_map.iter_rules()}
    assert {one["port"] for one in asked.values()} == {port["name"] for port in container["ports"]}


@in_each
def test_settings_are_settings(built: dict[str, list[Manifest]], overlay: str) -> None:
    """What the pods get as variables are settings; the folder of secrets is mounted where they say."""
    settings = of("ConfigMap", built[overlay])
    known = {"VISITCUE_SECRETS_DIR", *(f"VISITCUE_{name.upper()}" for name in Settings.model_fields)}
    assert settings["data"].keys() <= known
    spec = pod(built[overlay])
    (container,) = spec["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (secrets,) = [one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one]
    assert mounts[settings["data"]["VISITCUE_SECRETS_DIR"]] == "secrets"
    assert settings["data"]["VISITCUE_TRUST_FILE"].startswith(settings["data"]["VISITCUE_SECRETS_DIR"])
    assert secrets == "visitcue"


@in_each
def test_no_secret_in_the_manifests(built: dict[str, list[Manifest]], overlay: str) -> None:
    """No manifest is a Secret: they are referred to by name."""
    assert "Secret" not in {manifest["kind"] for manifest in built[overlay]}


@in_each
def test_selectors_meet_the_pods(built: dict[str, list[Manifest]], overlay: str) -> None:
    """Service, network policy, budget and spreading select the labels that the pods have."""
    manifests = built[overlay]
    labels = of("Deployment", manifests)["spec"]["template"]["metadata"]["labels"]
    selectors = [of("Service", manifests)["spec"]["selector"]]
    selectors.append(of("NetworkPolicy", manifests)["spec"]["podSelector"]["matchLabels"])
    selectors += [one["spec"]["selector"]["matchLabels"] for one in manifests if one["kind"] == "PodDisruptionBudget"]
    spreading = pod(manifests).get("topologySpreadConstraints", ())
    selectors += [one["labelSelector"]["matchLabels"] for one in spreading]
    assert all(selector and selector.items() <= labels.items() for selector in selectors)


@in_each
def test_only_the_protocol_is_let_in(built: dict[str, list[Manifest]], overlay: str) -> None:
    """From outside only the protocol's addresses are reached, over TLS, under the host that tokens are made for."""
    manifests = built[overlay]
    spec = of("Ingress", manifests)["spec"]
    (rule,) = spec["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/cds-services"]
    assert spec["tls"][0]["hosts"] == [rule["host"]]
    assert of("ConfigMap", manifests)["data"]["VISITCUE_PUBLIC_URL"] == f"https://{rule['host']}"


def test_small_writes_with_one_pod(built: dict[str, list[Manifest]]) -> None:
    """One replica, never two at once, keeps its SQLite on a volume that is claimed."""
    deployment = of("Deployment", built["small"])["spec"]
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (1, "Recreate")
    (claimed,) = [one for one in pod(built["small"])["volumes"] if one["name"] == "data"]
    claim = of("PersistentVolumeClaim", built["small"])["metadata"]["name"]
    assert claimed == {"name": "data", "persistentVolumeClaim": {"claimName": claim}}


def test_replicas_outlive_one_pod(built: dict[str, list[Manifest]]) -> None:
    """Several replicas: the autoscaler keeps more than the budget asks for, and an update takes none away first."""
    scaler = of("HorizontalPodAutoscaler", built["replicas"])["spec"]
    budget = of("PodDisruptionBudget", built["replicas"])["spec"]
    deployment = of("Deployment", built["replicas"])["spec"]
    assert scaler["minReplicas"] > budget["minAvailable"] >= 1
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in deployment
