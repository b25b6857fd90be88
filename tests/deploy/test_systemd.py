"""systemd accepts the units, and their options and times are those of the server."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest
import tomllib
import yaml

from tests.deploy.server_options import options_of

SYSTEMD = Path(__file__).parents[2] / "deploy/systemd"
ENDPOINTS = SYSTEMD.parent / "envoy/eds/posewire.yaml"
OPTIONS = sorted(SYSTEMD.glob("*.toml"))
UNITS = ["posewire.service", "posewire@.service"]


def service_of(unit: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SYSTEMD / unit)
    return parser["Service"]


@pytest.mark.parametrize("file", OPTIONS, ids=lambda file: file.name)
def test_options_exist_and_leave_time_to_stop(file: Path) -> None:
    options = options_of("--config", str(file))
    assert options["lame-duck"] > 2  # seconds, for two health checks of Envoy
    for unit in UNITS:
        assert int(service_of(unit)["TimeoutStopSec"]) > options["lame-duck"] + options["grace"]


def test_each_instance_has_options_processors_and_an_endpoint() -> None:
    instances = {file.stem: tomllib.loads(file.read_text()) for file in OPTIONS}
    del instances["posewire"]
    dropped_in = {each.name for each in SYSTEMD.glob("posewire@?*.service.d")}
    assert dropped_in == {f"posewire@{name}.service.d" for name in instances}
    (locality,) = yaml.safe_load(ENDPOINTS.read_text())["resources"][0]["endpoints"]
    sockets = [each["endpoint"]["address"]["socket_address"] for each in locality["lb_endpoints"]]
    listed = [f"{each['address']}:{each['port_value']}" for each in sockets]
    assert listed == [options["address"] for options in instances.values()]
    assert len({options["metrics-address"] for options in instances.values()}) == len(instances)


def test_the_units_differ_where_they_must() -> None:
    one, many = (dict(service_of(unit)) for unit in UNITS)
    assert one.pop("ExecStart") == many.pop("ExecStart").replace("%i", "posewire")
    assert many.pop("User") == "posewire"
    assert one == many


def verify(folder: Path, unit: str) -> str:
    """Return what systemd says about a unit."""
    command = ["systemd-analyze", "verify", "--man=no", f"./{unit}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
    said = done.stdout + done.stderr
    # Units of the machine that are not ours are loaded too.
    return "".join(f"{line}\n" for line in said.splitlines() if "posewire" in line)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a folder with the units, for a program that is installed."""
    folder = tmp_path / "units"
    shutil.copytree(SYSTEMD, folder)
    for unit in UNITS:
        text = (folder / unit).read_text()
        (folder / unit).write_text(text.replace("/opt/posewire/bin/posewire", "/bin/true"))
    for instance in ("0", "1"):
        shutil.copy(folder / "posewire@.service", folder / f"posewire@{instance}.service")
    return folder


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze of systemd"
)


@needs_systemd
@pytest.mark.parametrize("unit", ["posewire.service", "posewire@0.service", "posewire@1.service"])
def test_systemd_accepts_the_units(unit: str, units: Path) -> None:
    assert verify(units, unit) == ""


@needs_systemd
def test_systemd_finds_a_wrong_setting(units: Path) -> None:
    unit = units / "posewire.service"
    unit.write_text(unit.read_text().replace("Type=exec", "Type=execute"))
    assert "execute" in verify(units, "posewire.service")
