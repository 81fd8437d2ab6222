# Folders of the installation that are absolute are written as they are into what pkg-config reads.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

file(REMOVE_RECURSE "${WORK}")
run("configuring" COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}" -G "${GENERATOR}"
                          "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_INSTALL_PREFIX=/usr
                          -DCMAKE_INSTALL_LIBDIR=/elsewhere/lib -DXTGRAD_BUILD_TESTS=OFF -DXTGRAD_BUILD_EXAMPLES=OFF
                          -DXTGRAD_BUILD_BENCHMARKS=OFF)
file(READ "${WORK}/package/xtgrad.pc" pc)
foreach(line IN ITEMS "prefix=/usr\n" "libdir=/elsewhere/lib\n" "includedir=\${prefix}/include\n")
  string(FIND "${pc}" "${line}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "xtgrad.pc should say ${line}but is:\n${pc}")
  endif()
endforeach()
