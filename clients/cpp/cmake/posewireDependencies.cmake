# Defines gRPC::grpc++ and protobuf::libprotobuf, in the build of the library and for its users.

# Before gRPC, whose package wants Protobuf too: Debian 12 has no protobuf-config.cmake. Newer
# versions have one that knows the Abseil libraries that protobuf needs; FindProtobuf does not.
if(NOT TARGET protobuf::libprotobuf)
    find_package(Protobuf CONFIG QUIET)
    if(NOT Protobuf_FOUND)
        find_package(Protobuf MODULE REQUIRED)
    endif()
endif()

if(NOT TARGET gRPC::grpc++)
    find_package(gRPC CONFIG QUIET)
    if(NOT gRPC_FOUND)
        # Some distributions' gRPCConfig.cmake is missing or broken; their grpc++.pc works.
        find_package(PkgConfig REQUIRED)
        pkg_check_modules(POSEWIRE_GRPC REQUIRED IMPORTED_TARGET GLOBAL grpc++)
        add_library(gRPC::grpc++ INTERFACE IMPORTED GLOBAL)
        target_link_libraries(gRPC::grpc++ INTERFACE PkgConfig::POSEWIRE_GRPC)
    endif()
endif()
