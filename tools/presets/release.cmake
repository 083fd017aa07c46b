# What users get, what tests and benchmarks run: optimised, checks on, line numbers in backtraces.
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_C_FLAGS "-O2 -gline-tables-only" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O2 -gline-tables-only" CACHE STRING "")
