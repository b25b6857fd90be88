"""Installs the servers that posewire is compared with: `python -m tests.bench.peers.environments`.

Each gets a virtual environment below build/peers. What it lacks it imports from the environment
that this program runs in, after its own packages.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

from tests.bench.machine import ROOT

# The name of a peer is that of its program, too.
REQUIREMENTS = {
    "mosec": ["mosec==0.9.8"],
    "kserve": ["kserve==0.21.0"],
    "litserve": ["litserve==0.2.19", "python-multipart==0.0.34"],
    "triton": ["nvidia-pytriton==0.7.0"],
}
PACKAGES = ("server", "cpp_ext", "proto")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*", default=list(REQUIREMENTS), help="by default all")
    for peer in parser.parse_args().peers:
        install(peer)


def install(peer: str) -> None:
    """Install a peer anew."""
    home = _home(peer)
    print(f"{' '.join(REQUIREMENTS[peer])} in {home}", flush=True)
    venv.create(home, clear=True, with_pip=True)
    pip = [python_of(peer), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS[peer]], check=True)
    ours = sysconfig.get_path("purelib")
    (_packages(home) / "posewire.pth").write_text(f"{ours}\n")


def is_installed(peer: str) -> bool:
    return (_packages(_home(peer)) / "posewire.pth").is_file()


def python_of(peer: str) -> str:
    return str(_home(peer) / "bin/python")


def version_of(peer: str) -> str:
    """Return the installed version of a peer."""
    name = REQUIREMENTS[peer][0].partition("==")[0]
    (found,) = metadata.distributions(name=name, path=[str(_packages(_home(peer)))])
    return f"{name} {found.version}"


def python_path() -> str:
    """Return what PYTHONPATH has to be for the program of a peer."""
    return ":".join(map(str, (ROOT, *(ROOT / each for each in PACKAGES))))


def _home(peer: str) -> Path:
    return ROOT / "build/peers" / peer


def _packages(home: Path) -> Path:
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return home / "lib" / python / "site-packages"


if __name__ == "__main__":
    main()
