from __future__ import annotations

from setuptools import find_packages, setup

# Each part of the repository has its own packages, so there are several roots.
ROOTS = {
    "posewire": "proto",
    "posewire_decoder": "cpp_ext",
    "posewire_server": "server",
    "posewire_cli": "server",
    "posewire_ray": "server",
    "posewire_client": "clients/python",
}

setup(
    packages=[
        name
        for package, root in ROOTS.items()
        for name in find_packages(root, include=[package, f"{package}.*"])
    ],
    package_dir={package: f"{root}/{package}" for package, root in ROOTS.items()},
    # Named, because an editable install leaves the extension module in the source tree and a wheel
    # must not pick that one up.
    package_data={
        "": ["py.typed", "*.pyi"],
        "posewire_server.models": ["bundled/*"],
        "posewire_server.sample": ["*.jpg", "*.mp4"],
    },
    include_package_data=False,
)
