# What find_package says to a wish that the installed copy cannot grant. PREFIX has the static library alone.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

# expect_refusal(wish text): find_package with the arguments `wish` must fail with `text`.
function(expect_refusal wish text)
  file(REMOVE_RECURSE "${WORK}")
  file(MAKE_DIRECTORY "${WORK}")
  # Without a language, for that takes most of the time and is not the question.
  file(WRITE "${WORK}/CMakeLists.txt" "cmake_minimum_required(VERSION 3.21)
project(wish LANGUAGES NONE)
find_package(xtgrad ${wish} REQUIRED)
")
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${WORK}" -B "${WORK}/build" -G "${GENERATOR}"
                          "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DCMAKE_LIBRARY_ARCHITECTURE=${ARCHITECTURE}"
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  # CMake breaks lines.
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${text}" found)
  if(result EQUAL 0 OR found EQUAL -1)
    message(FATAL_ERROR "find_package(xtgrad ${wish}) should fail with '${text}', but (${result}): ${output}")
  endif()
endfunction()

expect_refusal("COMPONENTS shared" "this copy of xtgrad has no component 'shared'")
expect_refusal("COMPONENTS static shared" "xtgrad's components exclude each other: static;shared")
expect_refusal("99.0" "compatible with requested version \"99.0\"")
if(NOT PLOT)
  expect_refusal("COMPONENTS plot" "this copy of xtgrad has no component 'plot': it was built without Cairo")
endif()
