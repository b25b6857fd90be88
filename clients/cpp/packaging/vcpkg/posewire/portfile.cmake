# An overlay port: vcpkg install posewire --overlay-ports=clients/cpp/packaging/vcpkg
# It builds the working tree that it stands in, so there is nothing to download.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../../.." ABSOLUTE)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}/clients/cpp"
    OPTIONS
        -DPOSEWIRE_BUILD_EXAMPLES=OFF
        "-DGRPC_CPP_PLUGIN=${CURRENT_HOST_INSTALLED_DIR}/tools/grpc/grpc_cpp_plugin${VCPKG_HOST_EXECUTABLE_SUFFIX}"
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME posewire CONFIG_PATH lib/cmake/posewire)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
