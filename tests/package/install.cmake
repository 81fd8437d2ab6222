# Installs the build folder, moves what was installed, and looks at it. KIND: static, or both.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

# Moved, so that whatever remembers the first place does not work.
set(first_prefix "${PREFIX}_before_it_moved")
file(REMOVE_RECURSE "${PREFIX}" "${first_prefix}")
set(install "${CMAKE_COMMAND}" --install "${BUILD}" --config "${CONFIG}" --prefix "${first_prefix}")
run("installing" COMMAND ${install})
if(KIND STREQUAL "both")
  # The kind that the build folder does not install by default.
  run("installing the other library" COMMAND ${install} --component xtgrad_other)
endif()
file(RENAME "${first_prefix}" "${PREFIX}")

foreach(file IN ITEMS include/xtgrad/xtgrad.h include/xtgrad/nn/linear.h include/xtgrad/autograd/interop.h
                      ${LIBDIR}/cmake/xtgrad/xtgradConfig.cmake ${LIBDIR}/cmake/xtgrad/xtgradConfigVersion.cmake
                      ${LIBDIR}/pkgconfig/xtgrad.pc share/doc/xtgrad/copyright)
  if(NOT EXISTS "${PREFIX}/${file}")
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()

# No file may name the place where it was built or first installed.
file(READ "${PREFIX}/share/doc/xtgrad/copyright" copyright)
foreach(name IN ITEMS "BSD" "scikit-learn")
  string(FIND "${copyright}" "${name}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "the installed copyright says nothing of ${name}")
  endif()
endforeach()

file(GLOB_RECURSE texts "${PREFIX}/include/*" "${PREFIX}/${LIBDIR}/cmake/*" "${PREFIX}/${LIBDIR}/pkgconfig/*")
foreach(text IN LISTS texts)
  file(READ "${text}" contents)
  foreach(place IN ITEMS "${SOURCE}" "${BUILD}" "${first_prefix}")
    string(FIND "${contents}" "${place}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${text} names ${place}")
    endif()
  endforeach()
endforeach()
list(LENGTH texts count)
message(STATUS "${count} text files")
