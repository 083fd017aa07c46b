# What all presets share. A preset is an initial cache: `cmake -C tools/presets/release.cmake …`, which
# is what tools/build does. (CMakePresets.json has to lie at the top of the tree, and the top holds
# rooms only; a cache file says the same and can lie beside the script that reads it.)

set(CMAKE_C_COMPILER clang-19 CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(CMAKE_C_COMPILER_LAUNCHER ccache CACHE STRING "")
set(CMAKE_CXX_COMPILER_LAUNCHER ccache CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS -fuse-ld=lld-19 CACHE STRING "")
set(CMAKE_SHARED_LINKER_FLAGS -fuse-ld=lld-19 CACHE STRING "")
set(CMAKE_MODULE_LINKER_FLAGS -fuse-ld=lld-19 CACHE STRING "")

# The name has no flags of its own in CMake: the presets write theirs out, once. None of them
# sets NDEBUG: WEIR_CHECK is on in release builds, and what asserts in a library should too.
set(CMAKE_BUILD_TYPE Weir CACHE STRING "")
