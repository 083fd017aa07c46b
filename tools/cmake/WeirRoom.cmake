# How a room is built.
#
#   weir_room(dsl SOURCES lexer.cpp … TESTS lexer_test.cpp … LINKS … PRIVATE_LINKS …)
#
# makes the static library `weir_dsl` and, if there are tests, the doctest program `dsl_test`.
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

function(weir_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;TESTS;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(weir_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(weir_${name} PUBLIC ${ROOM_LINKS} PRIVATE weir_flags ${ROOM_PRIVATE_LINKS})
  target_include_directories(weir_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  if(ROOM_TESTS)
    add_executable(${name}_test ${ROOM_TESTS} ${CMAKE_SOURCE_DIR}/tools/cmake/doctest_main.cpp)
    target_link_libraries(${name}_test PRIVATE weir_${name} weir_flags ${ROOM_PRIVATE_LINKS})
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()
