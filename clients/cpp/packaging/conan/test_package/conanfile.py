"""Build a program with the package, and run it."""

from __future__ import annotations

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class PosewireClientTest(ConanFile):
    """Link against `posewire::client` as a user does."""

    settings = ("os", "compiler", "build_type", "arch")
    generators = ("CMakeDeps", "CMakeToolchain")

    def requirements(self) -> None:
        """Take the package under test."""
        self.requires(self.tested_reference_str)

    def layout(self) -> None:
        """Build in a folder of its own."""
        cmake_layout(self)

    def build(self) -> None:
        """Build the program."""
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self) -> None:
        """Run the program, which needs no server."""
        if can_run(self):
            program = Path(self.build_folder) / self.cpp.build.bindir / "refuse"
            self.run(str(program), env="conanrun")
