# Builds and runs the project of docs/extending.md, whose operations the library has not got, against the installed
# library.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

file(REMOVE_RECURSE "${WORK}")
run("configuring the outside operations"
    COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}/examples/outside" -B "${WORK}" -G "${GENERATOR}"
            "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release
            "-DXTGRAD_COMPONENT=${KIND}")
run("building the outside operations" COMMAND "${CMAKE_COMMAND}" --build "${WORK}")
run_consumer("${WORK}/outside")
