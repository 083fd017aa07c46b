# weir_link_library(TARGET DIRECTORY LIBRARIES targets… SHARED sonames…)
#
# Fills DIRECTORY with what `weir build` links a pipeline's objects with: copies of the C start files and of static libraries,
# and link.txt, the list of them and of the shared libraries that are found on the machine by their names.
function(weir_link_library target directory)
  cmake_parse_arguments(LINK "" "" "LIBRARIES;SHARED" ${ARGN})
  set(copies)
  set(list "")
  foreach(start Scrt1.o crti.o crtbeginS.o)
    string(APPEND list "file ${start}\n")
  endforeach()
  string(APPEND list "pipeline\n")
  foreach(library ${LINK_LIBRARIES})
    string(APPEND list "file $<TARGET_FILE_NAME:${library}>\n")
    list(APPEND copies $<TARGET_FILE:${library}>)
  endforeach()
  foreach(shared ${LINK_SHARED})
    string(APPEND list "shared ${shared}\n")
  endforeach()
  foreach(end crtendS.o crtn.o)
    string(APPEND list "file ${end}\n")
  endforeach()
  foreach(start Scrt1.o crti.o crtbeginS.o crtendS.o crtn.o libc_nonshared.a libgcc.a)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${start} OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND copies ${path})
  endforeach()
  string(REPLACE "file crtendS.o" "file libgcc.a\nfile libc_nonshared.a\nfile crtendS.o" list "${list}")
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${target}.txt CONTENT "${list}")
  add_custom_command(
    OUTPUT ${directory}/link.txt
    COMMAND ${CMAKE_COMMAND} -E make_directory ${directory}
    COMMAND ${CMAKE_COMMAND} -E copy ${copies} ${directory}
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/${target}.txt ${directory}/link.txt
    DEPENDS ${LINK_LIBRARIES} ${CMAKE_CURRENT_BINARY_DIR}/${target}.txt VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${directory}/link.txt)
endfunction()
