# Data races. TBB and librdkafka are not built with it: tsan.supp beside this file names them, with the reason.
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
set(CMAKE_C_FLAGS "-O1 -gline-tables-only" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O1 -gline-tables-only -DWEIR_DEBUG" CACHE STRING "")
set(WEIR_SANITIZE thread CACHE STRING "")
