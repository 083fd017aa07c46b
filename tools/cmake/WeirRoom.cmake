# How a room is built.
#
#   weir_room(dsl SOURCES lexer.cpp … TESTS lexer_test.cpp … LINKS … PRIVATE_LINKS …)
#
# makes the static library `weir_dsl` and, if there are tests, the doctest program `dsl_test`; the
# target `unit_tests` builds all of those, ctest knows them by the room's name and the label `unit`.
#
#   weir_fuzz(lexer SOURCES lexer_fuzz.cpp LINKS weir_dsl)
#
# makes the libFuzzer program `lexer_fuzz` in builds with WEIR_FUZZ (the preset fuzz). Elsewhere it is a
# unit test that runs once over the corpus, tests/fuzz/lexer_fuzz.
# Presets (tools/presets/*.cmake) set WEIR_SANITIZE: empty, "address,undefined" or "thread".

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(WEIR_SANITIZE "" CACHE STRING "sanitizers to build with, as -fsanitize= takes them")
option(WEIR_FUZZ "build the libFuzzer targets" OFF)

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers
  -fno-omit-frame-pointer -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_include_directories(weir_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()

add_custom_target(unit_tests)
add_custom_target(fuzz_targets)

function(weir_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;TESTS;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(weir_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(weir_${name} PUBLIC ${ROOM_LINKS} PRIVATE weir_flags ${ROOM_PRIVATE_LINKS})
  target_include_directories(weir_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  if(ROOM_TESTS)
    add_executable(${name}_test ${ROOM_TESTS} ${CMAKE_SOURCE_DIR}/tools/cmake/doctest_main.cpp)
    target_link_libraries(${name}_test PRIVATE weir_${name} weir_flags ${ROOM_PRIVATE_LINKS})
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
    add_dependencies(unit_tests ${name}_test)
  endif()
endfunction()

function(weir_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LINKS" ${ARGN})
  if(NOT WEIR_FUZZ)
    add_executable(${name}_fuzz_replay ${FUZZ_SOURCES} ${CMAKE_SOURCE_DIR}/tools/cmake/fuzz_replay_main.cpp)
    target_link_libraries(${name}_fuzz_replay PRIVATE ${FUZZ_LINKS} weir_flags)
    add_test(NAME ${name}_fuzz_replay COMMAND ${name}_fuzz_replay ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz)
    set_tests_properties(${name}_fuzz_replay PROPERTIES LABELS unit TIMEOUT 300)
    add_dependencies(unit_tests ${name}_fuzz_replay)
    return()
  endif()
  add_executable(${name}_fuzz ${FUZZ_SOURCES})
  target_link_libraries(${name}_fuzz PRIVATE ${FUZZ_LINKS} weir_flags)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(fuzz_targets ${name}_fuzz)
endfunction()
