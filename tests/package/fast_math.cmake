# A program that is compiled and linked with -ffast-math, on whose threads the processor takes subnormal numbers
# for 0.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(NOT PKG_CONFIG)
  message("skipped: no pkg-config here (Debian: apt-get install pkg-config)")
  return()
endif()
set(static "")
if(KIND STREQUAL "static")
  set(static --static)
endif()
run("pkg-config" COMMAND "${PKG_CONFIG}" ${static} --cflags --libs xtgrad
    ENVIRONMENT "PKG_CONFIG_PATH=${PREFIX}/${LIBDIR}/pkgconfig")
separate_arguments(flags UNIX_COMMAND "${output}")

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
run("compiling the outside program"
    COMMAND "${COMPILER}" -std=c++20 -O1 -ffast-math "${CMAKE_CURRENT_LIST_DIR}/consumer/fast_math.cpp"
            -o "${WORK}/fast_math" ${flags})
run_consumer("${WORK}/fast_math" "LD_LIBRARY_PATH=${PREFIX}/${LIBDIR}")
