include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/posewire)
install(TARGETS posewire_client posewire_v1 EXPORT posewireTargets)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${generated}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.pb.h")
install(EXPORT posewireTargets NAMESPACE posewire:: DESTINATION ${package})

configure_package_config_file(cmake/posewireConfig.cmake.in posewireConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(posewireConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/posewireConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/posewireConfigVersion.cmake
              cmake/posewireDependencies.cmake
        DESTINATION ${package})
