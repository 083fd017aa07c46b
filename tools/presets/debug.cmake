# For a debugger: no optimisation, full debug information, and the passes verify each other's work.
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_C_FLAGS "-O0 -g" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O0 -g -DWEIR_DEBUG" CACHE STRING "")
