"""The container file and compose.yaml use files, ports and options that exist and agree."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml

from tests.deploy.server_options import options_of
from tests.reference.stub_process import stub_process

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = DEPLOY / "container/Containerfile"
COMPOSE = DEPLOY / "compose/compose.yaml"
HEALTHCHECK = DEPLOY / "container/healthcheck.py"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions and their arguments, each on one line."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def arguments_of(instruction: str) -> str:
    return [rest for name, rest in instructions() if name == instruction][-1]


def compose() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return described


def files_of(service: dict[str, Any]) -> dict[str, Path]:
    """Return the files of a service by their paths in its container."""
    configs = compose()["configs"]
    return {
        each["target"]: COMPOSE.parent / configs[each["source"]]["file"]
        for each in service["configs"]
    }


def secs(duration: str) -> float:
    return float(duration.removesuffix("s"))


def test_the_image_is_built_from_files_that_exist() -> None:
    copied = []
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            copied += rest.split()[:-1]
    assert [each for each in copied if not (ROOT / each).exists()] == []
    roots = re.findall(r'^    "\w+": "(\S+)",$', (ROOT / "setup.py").read_text(), re.MULTILINE)
    assert roots
    assert set(roots) <= set(copied)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (installed,) = re.findall(r"\.whl\)\[(\w+)\]", CONTAINERFILE.read_text())
    assert installed in extras["optional-dependencies"]


def test_the_image_serves_what_it_says_and_not_as_root() -> None:
    variables = dict(re.findall(r"(\w+)=(\S+)", arguments_of("ENV")))
    program, command, *_ = json.loads(arguments_of("ENTRYPOINT"))
    assert (program, command) == ("posewire", "serve")
    del variables["PATH"]
    options = options_of(*json.loads(arguments_of("CMD")), **variables)
    _, _, port = options["address"].rpartition(":")
    assert port in arguments_of("EXPOSE").split()
    _, _, check = arguments_of("HEALTHCHECK").partition("CMD ")
    assert json.loads(check)[-1] == f"127.0.0.1:{port}"
    assert arguments_of("USER") == "10001:10001"
    assert arguments_of("VOLUME") == variables["POSEWIRE_CACHE"]


def check_health(address: str) -> int:
    command = [sys.executable, str(HEALTHCHECK), address]
    return subprocess.run(command, capture_output=True, timeout=60).returncode


def test_the_health_check_finds_out_whether_a_server_is_ready() -> None:
    with stub_process() as server:
        assert check_health(server.line()) == 0
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert check_health(f"127.0.0.1:{closed.getsockname()[1]}") == 1


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="needs hadolint")
def test_hadolint_accepts_the_container_file() -> None:
    command = ["hadolint", "--ignore=DL3008", str(CONTAINERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_mounts_files_that_exist() -> None:
    described = compose()
    server = described["services"]["posewire"]
    context = (COMPOSE.parent / server["build"]["context"]).resolve()
    assert context == ROOT
    assert context / server["build"]["dockerfile"] == CONTAINERFILE
    used = set()
    for service in described["services"].values():
        assert [file for file in files_of(service).values() if not file.is_file()] == []
        used |= {each["source"] for each in service["configs"]}
        volumes = [each.partition(":")[0] for each in service.get("volumes", [])]
        assert set(volumes) <= described["volumes"].keys()
    assert used == described["configs"].keys()


def test_servers_of_compose_are_found_and_have_time_to_stop() -> None:
    services = compose()["services"]
    (options_file,) = files_of(services["posewire"]).values()
    options = options_of("--config", str(options_file))
    assert secs(services["posewire"]["stop_grace_period"]) > options["lame-duck"] + options["grace"]
    assert options["max-streams-per-peer"] == options["max-streams"]
    assert f"models:{arguments_of('VOLUME')}" in services["posewire"]["volumes"]

    (envoy_file,) = files_of(services["envoy"]).values()
    resources = yaml.safe_load(envoy_file.read_text())["static_resources"]
    (locality,) = resources["clusters"][0]["load_assignment"]["endpoints"]
    (endpoint,) = locality["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"] == {
        "address": "posewire",
        "port_value": port_of(options["address"]),
    }
    listened = resources["listeners"][0]["address"]["socket_address"]["port_value"]
    assert services["envoy"]["ports"] == [f"127.0.0.1:{listened}:{listened}"]


def test_prometheus_and_grafana_of_compose_find_what_they_show() -> None:
    services = compose()["services"]
    files = files_of(services["prometheus"])
    settings = yaml.safe_load(files["/etc/prometheus/prometheus.yml"].read_text())
    assert [f"/etc/prometheus/{each}" for each in settings["rule_files"]] == [
        path for path in files if path.endswith("alerts.yaml")
    ]
    (job,) = settings["scrape_configs"]
    assert job["job_name"] == "posewire"  # as the alert rules expect
    (found,) = job["dns_sd_configs"]
    (options_file,) = files_of(services["posewire"]).values()
    metrics = options_of("--config", str(options_file))["metrics-address"]
    assert (found["names"], found["port"]) == (["posewire"], port_of(metrics))

    files = files_of(services["grafana"])
    below = "/etc/grafana/provisioning"
    (source,) = yaml.safe_load(files[f"{below}/datasources/prometheus.yaml"].read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load(files[f"{below}/dashboards/posewire.yaml"].read_text())[
        "providers"
    ]
    assert f"{provider['options']['path']}/posewire.json" in files


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
