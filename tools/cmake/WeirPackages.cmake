# What Weir finds outside, all from Debian packages (tools/setup installs them). One imported target each.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(TBB REQUIRED)
find_package(RocksDB QUIET)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

find_library(ROCKSDB_LIBRARY rocksdb REQUIRED)
add_library(weir_rocksdb INTERFACE)
target_link_libraries(weir_rocksdb INTERFACE ${ROCKSDB_LIBRARY})

find_library(ICU_LIBRARY icuuc REQUIRED)
add_library(weir_icu INTERFACE)
target_link_libraries(weir_icu INTERFACE ${ICU_LIBRARY})

set(LLVM_DIR /usr/lib/llvm-19/lib/cmake/llvm CACHE PATH "where LLVM 19's CMake files are")
find_package(LLVM 19.1 REQUIRED CONFIG)  # its version check wants the minor number
add_library(weir_llvm INTERFACE)
target_include_directories(weir_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_compile_definitions(weir_llvm INTERFACE ${LLVM_DEFINITIONS_LIST})
target_link_libraries(weir_llvm INTERFACE LLVM-19)
target_link_directories(weir_llvm INTERFACE ${LLVM_LIBRARY_DIRS})
find_program(WEIR_CLANG clang++-19 REQUIRED)
