# Builds and runs the project that docs/conv_net.md begins with, against the installed library.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

file(REMOVE_RECURSE "${WORK}")
run("configuring the page's project"
    COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}/examples/first_conv_net" -B "${WORK}" -G "${GENERATOR}"
            "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release)
run("building the page's project" COMMAND "${CMAKE_COMMAND}" --build "${WORK}")
run("the page's program" COMMAND "${WORK}/first_conv_net" "${WORK}/digits.safetensors")
if(NOT output MATCHES "test accuracy of the restored model: (0\\.9[789]|1\\.)")
  message(FATAL_ERROR "the page's program did not come to its end, or learnt too little:\n${output}")
endif()
message(STATUS "${output}")
