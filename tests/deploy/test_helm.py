"""The chart renders to what Kubernetes accepts and the server understands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from posewire.v1.pose_service_pb2 import DESCRIPTOR
from posewire_server.serving.observation.metrics import Metrics
from posewire_server.serving.scheduling.load import ServiceLoad
from tests.deploy.server_options import options_of

CHART = Path(__file__).parents[2] / "deploy/helm/posewire"
SERVICE = DESCRIPTOR.services_by_name["PoseService"].full_name
# The Kubernetes that the chart needs, and the newest two that are known.
VERSIONS = ["1.30", "1.34", "1.37"]
ALL_OPTIONS: dict[str, Any] = {
    "autoscaling": {"enabled": True},
    "imagePullSecrets": [{"name": "registry"}],
    "modelCache": {"existingClaim": "models"},
    "networkPolicy": {"enabled": True},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "podAnnotations": {"note": "1"},
    "server": {
        "models": ["demo", "other"],
        "offline": True,
        "resumeKeySecret": "key",
        "extraArgs": ["--log-format=json"],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "tolerations": [{"operator": "Exists"}],
}
KINDS = {"Deployment", "PodDisruptionBudget", "Service"}
OPTIONAL_KINDS = {"HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor"}
KEDA: dict[str, Any] = {"keda": {"enabled": True}, "serviceMonitor": {"enabled": True}}


def render(
    values: dict[str, Any] | None = None, *, name: str = "posewire"
) -> dict[str, dict[str, Any]]:
    """Return the objects of the chart by their kinds."""
    helm = pytest.importorskip("helm_python", reason="needs the package helm-python-sdk")
    with helm.Chart.load(CHART) as chart:
        files = chart.render(values or {}, name=name, namespace="default")
    objects = [each for text in files.values() for each in yaml.safe_load_all(text) if each]
    return {each["kind"]: each for each in objects}


def test_the_schema_has_every_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values.keys() == schema["properties"].keys() - {"global"}
    for name, value in values.items():
        properties = schema["properties"][name].get("properties")
        if properties:
            assert value.keys() == properties.keys(), name


def test_helm_finds_no_fault() -> None:
    helm = pytest.importorskip("helm_python", reason="needs the package helm-python-sdk")
    report = helm.lint(CHART, strict=True)
    assert report["total_charts_linted"] == 1
    assert report["errors"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": {"grace": 3}},
        {"server": {"models": []}},
        {"server": {"maxStreams": 0}},
        {"server": {"extraArgs": [1]}},
        {"preStopSeconds": 0},
        {"networkPolicy": {"clients": []}},
        {"autoscaling": {"targetCPUUtilizationPercentage": 101}},
        {"keda": {"minReplicas": 0}},
        {"keda": {"prometheusAddress": "prometheus:9090"}},
        {"serviceMonitor": {"interval": "often"}},
        {"image": {"repository": ""}},
    ],
    ids=str,
)
def test_wrong_values_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=f"at '/{next(iter(wrong))}"):
        render(wrong)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_accepts_the_objects(version: str) -> None:
    kubernetes = pytest.importorskip(
        "kubernetes_validate", reason="needs the package kubernetes-validate"
    )
    plain, full = render(), render(ALL_OPTIONS)
    assert plain.keys() == KINDS
    assert full.keys() == KINDS | OPTIONAL_KINDS
    for each in [*plain.values(), *full.values()]:
        if each["kind"] != "ServiceMonitor":  # a custom resource, without a schema here
            kubernetes.validate(each, version, strict=True)
    full["Deployment"]["spec"]["template"]["spec"]["containers"][0]["readinessprobe"] = {}
    with pytest.raises(kubernetes.ValidationError):
        kubernetes.validate(full["Deployment"], version, strict=True)


@pytest.mark.parametrize("values", [{}, ALL_OPTIONS], ids=["default", "all"])
def test_the_pod_has_options_ports_and_time_that_agree(values: dict[str, Any]) -> None:
    objects = render(values)
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = options_of(*container["args"])
    stop = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    time = stop + options["lame-duck"] + options["grace"]
    assert pod["terminationGracePeriodSeconds"] > time

    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert options["address"] == f"0.0.0.0:{ports['grpc']}"
    assert options["metrics-address"] == f"0.0.0.0:{ports['metrics']}"
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["grpc"] == {"port": ports["grpc"], "service": SERVICE}
    assert container["livenessProbe"]["tcpSocket"] == {"port": ports["grpc"]}
    listed = {each["name"]: each["port"] for each in objects["Service"]["spec"]["ports"]}
    assert listed == ports

    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts["models"] == options["cache"]
    if "resume-key-file" in options:
        assert options["resume-key-file"] == f"{mounts['resume-key']}/resume.key"
    assert mounts.keys() == {each["name"] for each in pod["volumes"]}


def test_values_with_special_characters_stay_as_they_are() -> None:
    odd = ['--log-level="info": x', "{{ .Values.server }}", "line\nline", "- # ' *"]
    values = {"server": {"extraArgs": odd}, "podAnnotations": {"note": odd[0], "other": odd[2]}}
    template = render(values)["Deployment"]["spec"]["template"]
    assert template["spec"]["containers"][0]["args"][-len(odd) :] == odd
    assert template["metadata"]["annotations"] == values["podAnnotations"]


@pytest.mark.parametrize("release", ["a", "r" * 53, "my-posewire"])
def test_names_are_those_of_the_release_and_short_enough(release: str) -> None:
    objects = render({**ALL_OPTIONS}, name=release)
    names = {each["metadata"]["name"] for each in objects.values()}
    assert len(names) == 1
    (name,) = names
    assert name.startswith(release)
    assert "posewire" in name
    assert len(name) <= 63


def test_the_pod_needs_no_rights() -> None:
    pod = render()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not pod["automountServiceAccountToken"]
    assert pod["enableServiceLinks"] is False


def test_selectors_match_the_pods() -> None:
    objects = render(ALL_OPTIONS)
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    watched = objects["ServiceMonitor"]["spec"]
    assert (
        watched["selector"]["matchLabels"].items()
        <= objects["Service"]["metadata"]["labels"].items()
    )
    # The job's name, which the alert rules expect.
    assert objects["Service"]["metadata"]["labels"][watched["jobLabel"]] == "posewire"
    target = objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target["name"] == objects["Deployment"]["metadata"]["name"]


def test_keda_scales_the_deployment_by_metrics_that_the_server_has() -> None:
    objects = render(KEDA)
    assert objects.keys() == KINDS | {"ScaledObject", "ServiceMonitor"}
    assert "replicas" not in objects["Deployment"]["spec"]
    scaled = objects["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == objects["Deployment"]["metadata"]["name"]
    assert 1 <= scaled["minReplicaCount"] <= scaled["maxReplicaCount"]
    # Slowly down, as without KEDA.
    behavior = render(ALL_OPTIONS)["HorizontalPodAutoscaler"]["spec"]["behavior"]
    assert scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == behavior
    metrics = set()
    for trigger in scaled["triggers"]:
        (query,) = re.findall(r"^sum\((\w+)\{(.+)\}\)$", trigger["metadata"]["query"])
        metrics.add(query[0])
        # The labels that Prometheus adds by the ServiceMonitor.
        assert query[1] == 'namespace="default",service="posewire"'
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
    known = Metrics()
    known.show_load(lambda: ServiceLoad(1, {}))
    assert metrics <= {metric.name for metric in known.collect()}


def test_the_service_is_headless_unless_a_mesh_balances() -> None:
    assert render()["Service"]["spec"]["clusterIP"] == "None"
    assert "clusterIP" not in render({"service": {"headless": False}})["Service"]["spec"]


def test_only_one_of_the_two_ways_scales() -> None:
    with pytest.raises(Exception, match="both true; want one of them"):
        render({**KEDA, "autoscaling": {"enabled": True}})
