# Compiles, links and runs the outside program with what pkg-config says.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(NOT PKG_CONFIG)
  message("skipped: no pkg-config here (Debian: apt-get install pkg-config)")
  return()
endif()
set(environment "PKG_CONFIG_PATH=${PREFIX}/${LIBDIR}/pkgconfig")
set(static "")
if(KIND STREQUAL "static")
  set(static --static)
endif()
run("pkg-config" COMMAND "${PKG_CONFIG}" ${static} --cflags --libs xtgrad ENVIRONMENT "${environment}")
message(STATUS "pkg-config: ${output}")
separate_arguments(flags UNIX_COMMAND "${output}")

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
run("compiling the outside program"
    COMMAND "${COMPILER}" -std=c++20 -O1 "${CMAKE_CURRENT_LIST_DIR}/consumer/main.cpp" -o "${WORK}/consumer" ${flags})
run_consumer("${WORK}/consumer" "LD_LIBRARY_PATH=${PREFIX}/${LIBDIR}")

if(PLOT)
  run("pkg-config" COMMAND "${PKG_CONFIG}" ${static} --cflags --libs xtgrad_plot ENVIRONMENT "${environment}")
  separate_arguments(flags UNIX_COMMAND "${output}")
  run("compiling the outside program that draws"
      COMMAND "${COMPILER}" -std=c++20 -O1 "${CMAKE_CURRENT_LIST_DIR}/consumer/picture.cpp" -o "${WORK}/picture" ${flags})
  run("the outside program that draws" COMMAND "${WORK}/picture" "${WORK}/picture.png"
      ENVIRONMENT "LD_LIBRARY_PATH=${PREFIX}/${LIBDIR}")
endif()
