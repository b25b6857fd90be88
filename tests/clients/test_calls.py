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
        """Return what the client made of the call, or None if it was not to make it."""
        if client in call.without:
            return None
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


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    client: str = request.param
    if (reason := missing(client)) is not None:
        raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(reason)
    return client


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_client_gets_what_the_table_says(run: Run, client: str, call: Call) -> None:
    outcome = run.outcome(call, client)
    if outcome is not None:
        check(call, client, outcome)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_all_clients_get_the_same_to_the_bit(run: Run, call: Call) -> None:
    outcomes = {
        client: text_of(run.outcome(call, client))
        for client in run.drivers
        if client not in call.without and client not in call.refused_by
    }
    expected = run.answers.results(call)
    for client in outcomes:
        found = results_in(run.outcome(call, client))
        for i, wanted in enumerate(expected):
            assert found[i] in (wanted, None), (client, i)
    if "newest_of" not in str(call.expect):
        first = next(iter(outcomes))
        for client, outcome in outcomes.items():
            assert outcome == outcomes[first], (first, client)


def test_every_program_comes_to_its_end(run: Run, client: str) -> None:
    assert run.drivers[client].fault == ""
    assert [*run.drivers[client].outcomes] == [
        call.name for call in CALLS if client not in call.without
    ]


def test_the_table_has_every_reason_of_the_contract() -> None:
    assert len(CALLS) == len({call.name for call in CALLS}) >= 60
    text = str([call.expect for call in CALLS])
    assert [reason for reason in REASONS if f"'reason': '{reason}'" not in text] == []
