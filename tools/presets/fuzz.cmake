# libFuzzer targets, with the same sanitizers as asan: a finding must end the process.
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_C_FLAGS "-O1 -gline-tables-only -fsanitize=fuzzer-no-link" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O1 -gline-tables-only -fsanitize=fuzzer-no-link -DWEIR_DEBUG" CACHE STRING "")
set(WEIR_SANITIZE address,undefined CACHE STRING "")
set(WEIR_FUZZ ON CACHE BOOL "")
