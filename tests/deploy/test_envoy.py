"""Envoy's configurations agree with the server and with each other, and Envoy serves with them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import DESCRIPTOR
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.messages import orca
from posewire_server.serving.streams.session import SessionLife
from tests.deploy.envoy_config import PING_INTERVAL_SECS, PING_JITTER, read, route_of
from tests.deploy.envoy_process import endpoints, envoy_process, install, needs_envoy, validate
from tests.reference.certificates import Identity, make_identity, needs_openssl
from tests.reference.stub_process import stub_process
from tests.reference.waiting import wait_until

FILES = ["envoy.yaml", "envoy-dns.yaml", "envoy-mtls.yaml", "envoy-weighted.yaml"]
SERVICE = DESCRIPTOR.services_by_name["PoseService"]
# Of Envoy's conditions for a retry, those of requests that have not reached a server.
UNSENT = {"connect-failure", "refused-stream", "reset-before-request"}


def secs(duration: str) -> float:
    return float(duration.removesuffix("s"))


@pytest.mark.parametrize("name", FILES)
def test_streams_have_no_time_limit_and_are_retried_only_until_they_reach_a_server(
    name: str,
) -> None:
    _, manager, _ = read(name)
    for method in SERVICE.methods:
        route = route_of(manager, f"/{SERVICE.full_name}/{method.name}")
        is_stream = method.client_streaming or method.server_streaming
        assert is_stream == (secs(route["timeout"]) == 0), method.name
        conditions = set(route["retry_policy"]["retry_on"].split(","))
        assert is_stream == (conditions <= UNSENT), method.name
    for path in ("/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/Info"):
        assert secs(route_of(manager, path)["timeout"]) == 0


@pytest.mark.parametrize("name", FILES)
def test_clients_do_not_reach_the_load_reports(name: str) -> None:
    _, manager, _ = read(name)
    with pytest.raises(LookupError, match="no route"):
        route_of(manager, f"/{orca.SERVICE.full_name}/StreamCoreMetrics")


@pytest.mark.parametrize("name", FILES)
def test_times_fit_those_of_the_server(name: str) -> None:
    _, manager, cluster = read(name)
    assert secs(manager["stream_idle_timeout"]) > SessionLife().idle_secs
    (options,) = cluster["typed_extension_protocol_options"].values()
    http2 = options["explicit_http_config"]["http2_protocol_options"]
    keepalive = {name: secs(value) for name, value in http2["connection_keepalive"].items()}
    assert keepalive["interval"] > PING_INTERVAL_SECS
    assert keepalive["interval"] * (1 + PING_JITTER) + keepalive["timeout"] < 5
    (check,) = cluster["health_checks"]
    # Otherwise the streams of a server that hangs would be reopened on it.
    failure = secs(check["no_traffic_interval"]) + secs(check["timeout"])
    assert check["unhealthy_threshold"] * failure <= keepalive["timeout"]
    assert check["interval"] == check["no_traffic_interval"]
    assert check["grpc_health_check"] == {"service_name": SERVICE.full_name}
    for side in (http2, manager["http2_protocol_options"]):
        assert side["initial_connection_window_size"] >= 8 * side["initial_stream_window_size"]


def test_configurations_differ_where_they_must() -> None:
    chain, manager, cluster = read("envoy.yaml")
    _, dns_manager, dns_cluster = read("envoy-dns.yaml")
    mtls_chain, mtls_manager, mtls_cluster = read("envoy-mtls.yaml")
    weighted_chain, _, weighted_cluster = read("envoy-weighted.yaml")
    assert dns_manager == manager
    assert weighted_chain == chain
    assert mtls_manager == manager
    assert mtls_chain.keys() - chain.keys() == {"transport_socket"}
    assert mtls_cluster.pop("transport_socket")
    assert mtls_cluster == cluster
    plain, weighted = (dict(each) for each in (cluster, weighted_cluster))
    assert plain.pop("load_balancing_policy") != weighted.pop("load_balancing_policy")
    assert plain == weighted
    for key in ("type", "eds_cluster_config"):
        del cluster[key]
    for key in ("cluster_type", "load_assignment"):
        del dns_cluster[key]
    assert dns_cluster == cluster


@needs_envoy
@needs_openssl
@pytest.mark.parametrize("name", FILES)
def test_envoy_accepts_the_configuration(name: str, tmp_path: Path) -> None:
    install(tmp_path / "envoy", ["127.0.0.1:50061"])
    identity = make_identity(tmp_path / "identity")
    place_certificates(tmp_path / "envoy/certificates", identity, identity, identity)
    assert validate(tmp_path / "envoy" / name) == ""


@needs_envoy
def test_envoy_rejects_a_wrong_setting(tmp_path: Path) -> None:
    install(tmp_path / "envoy", ["127.0.0.1:50061"])
    file = tmp_path / "envoy/envoy.yaml"
    file.write_text(file.read_text().replace("stream_idle_timeout", "stream_idle_time"))
    assert "stream_idle_time" in validate(file)


def list_models(channel: grpc.Channel) -> grpc.StatusCode:
    try:
        PoseServiceStub(channel).ListModels(messages.ListModelsRequest(), timeout=20)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@contextlib.contextmanager
def stub_server(*arguments: str) -> Iterator[str]:
    """Run a server until the block ends; yield its address."""
    with stub_process(*arguments) as server:
        yield server.line()


@needs_envoy
def test_calls_reach_the_servers_of_the_endpoint_file(tmp_path: Path) -> None:
    folder = tmp_path / "envoy"
    with stub_server() as first, stub_server() as second:
        install(folder, [first])
        with (
            envoy_process(folder / "envoy.yaml") as address,
            grpc.insecure_channel(address) as channel,
        ):
            wait_until(lambda: list_models(channel) is grpc.StatusCode.OK)
            opening = messages.StreamPosesRequest(config=stream_pb2.StreamConfig())
            answers = [*PoseServiceStub(channel).StreamPoses(iter([opening]), timeout=20)]
            assert [answer.WhichOneof("event") for answer in answers] == ["started"]
            listed = folder / "eds/posewire.yaml"
            aside = listed.with_suffix(".new")
            aside.write_text(endpoints(listed, ["127.0.0.1:1"]))
            aside.rename(listed)
            wait_until(lambda: list_models(channel) is grpc.StatusCode.UNAVAILABLE)
            aside.write_text(endpoints(listed, [second]))
            aside.rename(listed)
            wait_until(lambda: list_models(channel) is grpc.StatusCode.OK)


@needs_envoy
@needs_openssl
def test_both_sides_need_certificates(tmp_path: Path) -> None:
    folder = tmp_path / "envoy"
    server = make_identity(tmp_path / "server", name="posewire", subjects="DNS:posewire")
    envoy = make_identity(tmp_path / "proxy")
    client = make_identity(tmp_path / "client")
    arguments = ["--tls-cert", str(server.certificate), "--tls-key", str(server.key)]
    arguments += ["--tls-client-ca", str(envoy.certificate)]
    with stub_server(*arguments) as address:
        install(folder, [address])
        place_certificates(folder / "certificates", server, envoy, client)
        with envoy_process(folder / "envoy-mtls.yaml") as address:
            authority = envoy.certificate.read_bytes()
            known = grpc.ssl_channel_credentials(authority, *client.pair)
            with grpc.secure_channel(address, known) as channel:
                wait_until(lambda: list_models(channel) is grpc.StatusCode.OK)
            unknown = grpc.ssl_channel_credentials(authority)
            with grpc.secure_channel(address, unknown) as channel:
                assert list_models(channel) is grpc.StatusCode.UNAVAILABLE


def place_certificates(folder: Path, server: Identity, envoy: Identity, client: Identity) -> None:
    folder.mkdir()
    shutil.copy(envoy.certificate, folder / "envoy.pem")
    shutil.copy(envoy.key, folder / "envoy.key")
    shutil.copy(client.certificate, folder / "clients-ca.pem")
    shutil.copy(server.certificate, folder / "servers-ca.pem")
