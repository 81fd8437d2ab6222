# Configures, builds and runs the outside project by find_package.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

set(without "")
if(KIND STREQUAL "shared")
  # The shared library must need nothing but itself.
  foreach(package IN ITEMS fmt ZLIB libzip Cblas Threads nlohmann_json xtensor xsimd PNG JPEG Cairo)
    list(APPEND without -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
  endforeach()
endif()
file(REMOVE_RECURSE "${WORK}")
run("configuring the outside project"
    COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/consumer" -B "${WORK}" -G "${GENERATOR}"
            "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release
            "-DXTGRAD_COMPONENT=${KIND}" ${without})
run("building the outside project" COMMAND "${CMAKE_COMMAND}" --build "${WORK}")
run_consumer("${WORK}/consumer")
if(PLOT)
  run("the outside program that draws" COMMAND "${WORK}/picture" "${WORK}/picture.png")
elseif(EXISTS "${WORK}/picture")
  message(FATAL_ERROR "xtgrad::plot is installed, though Cairo was not found")
endif()
