# What the README's model makes of the library's headers when it is optimised: calls, and none of what is behind
# them. What is defined inside a class is inlined, or compiled once more, in every program, which costs it a fifth of
# its compile time (benchmarks/compile_time.sh counts it).
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

set(object "${PREFIX}/readme_model.o")
run("compiling the README's model" COMMAND "${COMPILER}" -std=c++20 -O2 "-I${PREFIX}/include" -c
    "${SOURCE}/examples/readme_model.cpp" -o "${object}")
run("nm" COMMAND "${NM}" -C "${object}")
if(NOT output MATCHES "ModuleOf<[^\n]*>::operator\\(\\)")
  message(FATAL_ERROR "no call of a module is seen: the list is not what it should be\n${output}")
endif()
foreach(inner IN ITEMS OnForward ModuleCall tensors_in OptimizerWith)
  string(REGEX MATCH "[^\n]*${inner}[^\n]*" line "${output}")
  if(line)
    message(FATAL_ERROR "a program that calls a model and an optimizer has compiled their insides: ${line}")
  endif()
endforeach()
