"""The clients of all languages make the calls of calls.yaml with the same outcomes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.clients.calls.answers import ServerAnswers
from tests.clients.calls.drivers import COMMANDS, Driver, missing, run_drivers
from tests.clients.calls.expectations import check, results_in, text_of
from tests.clients.calls.images import write_images
from tests.clients.calls.scripted import REASONS
from tests.clients.calls.servers import other_servers, real_server
from tests.clients.calls.table import Call, read_calls

CALLS = read_calls()
CLIENTS = [*COMMANDS]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the whole table through all clients, and the server's own answers."""

    drivers: dict[str, Driver]
    answers: ServerAnswers

    def outcome(self, call: Call, client: str) -> Any:
        """Return what the client made of the call."""
        driver = self.drivers[client]
        assert call.name in driver.outcomes, driver.fault or "the program left the call out"
        return driver.outcomes[call.name]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if shutil.which("openssl") is None:
        raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(
            "no command openssl, which makes certificates (Debian: apt-get install openssl)"
        )
    folder = tmp_path_factory.mktemp("calls")
    write_images(folder)
    clients = [client for client in CLIENTS if missing(client) is None]
    with real_server(folder) as server, other_servers(folder, server.address) as others:
        drivers = run_drivers(clients, folder, server, others)
        with grpc.insecure_channel(server.address) as channel:
            yield Run(drivers, ServerAnswers(PoseServiceStub(channel), folder))


@pytest.fixture
def client(request: pytest.FixtureRequest) -> str:
    """The name of a client whose program is there."""
    client: str = request.param
    if (reason := missing(client)) is not None:
        raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(reason)
    return client


@pytest.mark.parametrize(
    ("client", "call"),
    [
        pytest.param(client, call, id=f"{client}: {call.name}")
        for client in CLIENTS
        for call in CALLS
        if client not in call.without
    ],
    indirect=["client"],
)
def test_a_client_gets_what_the_table_says(run: Run, client: str, call: Call) -> None:
    check(call, client, run.outcome(call, client))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_all_clients_get_the_same_to_the_bit(run: Run, call: Call) -> None:
    clients = set(run.drivers) - set(call.without) - set(call.refused_by)
    if not clients:
        pytest.skip("no client is built that makes this call: make examples builds them")
    outcomes = {client: text_of(run.outcome(call, client)) for client in sorted(clients)}
    expected = run.answers.results(call)
    for client in outcomes:
        found = results_in(run.outcome(call, client))
        for i, wanted in enumerate(expected):
            assert found[i] in (wanted, None), (client, i)
    if "newest_of" not in str(call.expect):
        first, *others = outcomes
        for client in others:
            assert outcomes[client] == outcomes[first], (first, client)


@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_every_program_comes_to_its_end(run: Run, client: str) -> None:
    assert run.drivers[client].fault == ""
    assert [*run.drivers[client].outcomes] == [
        call.name for call in CALLS if client not in call.without
    ]


def test_the_table_has_every_reason_of_the_contract() -> None:
    assert len(CALLS) == len({call.name for call in CALLS}) >= 60
    text = str([call.expect for call in CALLS])
    assert {"IMAGE_INVALID", "TOKEN_MISSING", "INTERNAL"} < REASONS.keys()
    assert [reason for reason in REASONS if f"'reason': '{reason}'" not in text] == []
