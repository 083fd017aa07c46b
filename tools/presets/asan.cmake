# Memory errors and undefined behaviour end the process.
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_C_FLAGS "-O1 -gline-tables-only" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O1 -gline-tables-only -DWEIR_DEBUG" CACHE STRING "")
set(WEIR_SANITIZE address,undefined CACHE STRING "")
