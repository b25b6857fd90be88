"""Conan recipe of the C++ client: conan create clients/cpp/packaging/conan --build=missing"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy

SOURCES = ("clients/cpp/CMakeLists.txt", "clients/cpp/cmake/*", "clients/cpp/include/*")
SOURCES += ("clients/cpp/src/*", "proto/*.proto", "LICENSE")


class PosewireClient(ConanFile):
    """Build and package `posewire::client`."""

    name = "posewire-client"
    version = "0.1.0"
    license = "Apache-2.0"
    description = "C++ client of posewire, pose estimation over gRPC"
    url = "https://github.com/posewire/posewire"
    package_type = "library"
    settings = ("os", "compiler", "build_type", "arch")
    options: ClassVar = {"shared": [True, False], "with_system_grpc": [True, False]}
    default_options: ClassVar = {"shared": False, "with_system_grpc": False}

    def export_sources(self) -> None:
        """Copy the library and the contract."""
        root = Path(self.recipe_folder).parents[3]
        for pattern in SOURCES:
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self) -> None:
        """Take gRPC from Conan, unless the system's is to be used."""
        if not self.options.with_system_grpc:
            self.requires("grpc/[>=1.51 <2]", transitive_headers=True, transitive_libs=True)
            self.requires("protobuf/[>=3.21]", transitive_headers=True, transitive_libs=True)

    def build_requirements(self) -> None:
        """Take the code generators of the same versions."""
        if not self.options.with_system_grpc:
            self.tool_requires("grpc/<host_version>")
            self.tool_requires("protobuf/<host_version>")

    def layout(self) -> None:
        """Keep the sources where the repository has them."""
        cmake_layout(self, src_folder=".")

    def generate(self) -> None:
        """Write what CMake needs to find the requirements."""
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["POSEWIRE_BUILD_EXAMPLES"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self) -> None:
        """Build the library."""
        cmake = CMake(self)
        cmake.configure(build_script_folder="clients/cpp")
        cmake.build()

    def package(self) -> None:
        """Install the library, its CMake package and the licence."""
        copy(self, "LICENSE", self.source_folder, str(Path(self.package_folder) / "licenses"))
        CMake(self).install()

    def package_info(self) -> None:
        """Let CMake use the package that the library installs."""
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/posewire"]
