"""Balancers that read load reports, with the shipped configurations, prefer a faster server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from posewire_client import Client
from tests.deploy.envoy_process import needs_envoy
from tests.deploy.load_balance import CLIENTS, Load, Server, balanced, servers
from tests.reference.waiting import wait_until

SERVICE_SECS = (0.01, 0.06)
IMAGE = np.full((64, 64), 100, np.uint8)
CALLS = 30


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    load = Load(service_secs=SERVICE_SECS, stream_age_secs=600)
    with servers(load, tmp_path_factory.mktemp("servers")) as started:
        yield started


@pytest.mark.parametrize(
    ("balancer", "reads"),
    [
        ("weighted_round_robin", "stream"),
        ("weighted_round_robin", "trailers"),
        pytest.param("envoy-weighted", "stream", marks=needs_envoy),
    ],
)
def test_the_faster_server_gets_more_calls(
    running: list[Server], balancer: str, reads: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        target, options = stack.enter_context(balanced(balancer, running, tmp_path))
        if reads == "trailers":
            options = [("grpc.service_config", without_stream(options[0][1]))]
        client = stack.enter_context(Client(target, channel_options=options))
        direct = [stack.enter_context(Client(each.address)) for each in running]

        def prefers_the_fast_one() -> bool:
            for each in direct:
                each.estimate(IMAGE)
            before = [each.calls("ListModels") for each in running]
            for _ in range(CALLS):
                client.models()
            fast, slow = (
                each.calls("ListModels") - calls
                for each, calls in zip(running, before, strict=True)
            )
            assert fast + slow == CALLS
            return fast > 2 * slow > 0

        wait_until(prefers_the_fast_one)


def without_stream(config: str) -> str:
    """Return a service config whose weights follow from the trailers of calls."""
    changed = json.loads(config)
    changed["loadBalancingConfig"][0]["weighted_round_robin"]["enableOobLoadReport"] = False
    return json.dumps(changed)


def test_the_service_config_names_the_health_of_the_other() -> None:
    weighted, plain = (
        json.loads((CLIENTS / f"{name}.json").read_text())
        for name in ("weighted_round_robin", "round_robin")
    )
    assert weighted.pop("loadBalancingConfig") != plain.pop("loadBalancingConfig")
    assert weighted == plain
