"""The routes lead to the chart's Service, and Envoy Gateway's policies say what envoy.yaml says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from posewire.v1.pose_service_pb2 import DESCRIPTOR
from tests.deploy.envoy_config import PING_INTERVAL_SECS, PING_JITTER, read, route_of

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICE = DESCRIPTOR.services_by_name["PoseService"]
UNITS = {"ms": 0.001, "s": 1.0, "": 1, "Mi": 1 << 20}


def load(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the specifications in a file by their kinds and names."""
    objects = yaml.safe_load_all((DEPLOY / "gateway" / name).read_text())
    return {(each["kind"], each["metadata"]["name"]): each["spec"] for each in objects}


ROUTES = load("routes.yaml")
POLICIES = load("envoy-gateway.yaml")


def amount(text: str | int) -> float:
    """Return a duration in seconds, or a quantity."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]
    return round(float(number) * UNITS[unit], 6)


def route_for(method: str) -> str:
    """Return the name of the route that a call takes: the most specific one."""
    matches = {
        (len(match["method"]), name)
        for (kind, name), spec in ROUTES.items()
        if kind == "GRPCRoute"
        for rule in spec["rules"]
        for match in rule["matches"]
        if match["method"]["service"] == SERVICE.full_name
        and match["method"].get("method", method) == method
    }
    return max(matches)[1]


def policy_for(route: str) -> dict[str, Any]:
    (policy,) = (
        spec
        for spec in POLICIES.values()
        for target in spec["targetRefs"]
        if (target["kind"], target["name"]) == ("GRPCRoute", route)
    )
    return policy


def test_routes_lead_from_the_gateway_to_the_service_of_the_chart() -> None:
    gateways = {name for kind, name in ROUTES if kind == "Gateway"}
    template = (DEPLOY / "helm/posewire/templates/service.yaml").read_text()
    template = re.sub(r"^ *\{\{.*\}\}\n", "", template, flags=re.MULTILINE)
    service = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "posewire", template))
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    for (kind, _), spec in ROUTES.items():
        if kind == "GRPCRoute":
            assert {each["name"] for each in spec["parentRefs"]} == gateways
            for rule in spec["rules"]:
                assert rule["backendRefs"] == [{"name": "posewire", "port": ports["grpc"]}]


@pytest.mark.parametrize("method", [each.name for each in SERVICE.methods])
def test_calls_have_the_timeouts_and_retries_of_envoy(method: str) -> None:
    policy = policy_for(route_for(method))
    _, manager, _ = read("envoy.yaml")
    route = route_of(manager, f"/{SERVICE.full_name}/{method}")
    http = policy["timeout"]["http"]
    assert amount(http["requestTimeout"]) == amount(route["timeout"])
    if SERVICE.methods_by_name[method].client_streaming:
        assert amount(http["maxStreamDuration"]) == 0
        assert amount(http["streamIdleTimeout"]) == amount(manager["stream_idle_timeout"])
    retry = route["retry_policy"]
    assert policy["retry"]["retryOn"]["triggers"] == retry["retry_on"].split(",")
    assert policy["retry"]["numRetries"] == retry["num_retries"]
    once = policy["retry"].get("perRetry", {}).get("timeout")
    assert once == retry.get("per_try_timeout")


@pytest.mark.parametrize("name", [name for _, name in POLICIES])
def test_servers_are_watched_as_by_envoy(name: str) -> None:
    policy = POLICIES["BackendTrafficPolicy", name]
    _, _, cluster = read("envoy.yaml")
    (check,) = cluster["health_checks"]
    active = policy["healthCheck"]["active"]
    assert active["grpc"]["service"] == check["grpc_health_check"]["service_name"]
    assert amount(active["interval"]) == amount(check["interval"])
    assert active["unhealthyThreshold"] == check["unhealthy_threshold"]
    assert active["healthyThreshold"] == check["healthy_threshold"]
    outliers = cluster["outlier_detection"]
    passive = policy["healthCheck"]["passive"]
    assert passive == {
        "consecutive5XxErrors": outliers["consecutive_5xx"],
        "consecutiveGatewayErrors": outliers["consecutive_gateway_failure"],
        "interval": outliers["interval"],
        "baseEjectionTime": outliers["base_ejection_time"],
        "maxEjectionPercent": outliers["max_ejection_percent"],
    }
    (options,) = cluster["typed_extension_protocol_options"].values()
    http2 = options["explicit_http_config"]["http2_protocol_options"]
    given = policy["http2"]
    for camel, snake in (
        ("initialStreamWindowSize", "initial_stream_window_size"),
        ("initialConnectionWindowSize", "initial_connection_window_size"),
    ):
        assert amount(given[camel]) == http2[snake]
    keepalive = {key: amount(value) for key, value in given["connectionKeepalive"].items()}
    assert keepalive["interval"] > PING_INTERVAL_SECS
    assert keepalive["timeout"] < keepalive["interval"]  # as Envoy Gateway requires
    assert keepalive["interval"] * (1 + PING_JITTER) + keepalive["timeout"] < 5
    # A server that hangs is known before its streams end.
    failure = amount(active["interval"]) + amount(active["timeout"])
    assert active["unhealthyThreshold"] * failure <= keepalive["timeout"]
