# Kernels for other instructions than those that everything else is compiled for: the same sources once more for each set,
# in namespaces of their own, and one set chosen when the program runs. See autograd/kernels/levels/level.h.
file(GLOB xtgrad_level_sources CONFIGURE_DEPENDS autograd/kernels/levels/*.cpp autograd/formulas/*.cpp
     optim/*_formulas.cpp)
set_source_files_properties(${xtgrad_level_sources} PROPERTIES COMPILE_DEFINITIONS XTGRAD_LEVEL_SOURCE)

# Objects for the libraries, beside those of xtgrad_objects.
set(xtgrad_level_objects)

# xtgrad_add_level(level options...)
function(xtgrad_add_level level)
  set(target xtgrad_${level}_objects)
  add_library(${target} OBJECT ${xtgrad_level_sources})
  xtgrad_target_options(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -fno-semantic-interposition ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    # As for this machine's instructions in xtgrad_target_options.
    target_compile_options(${target} PRIVATE -mmove-max=128 -mstore-max=128)
  endif()
  # Where nothing is inlined, the standard library's inline functions would be there for these instructions, too.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O2>)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_CXX_FLAGS MATCHES "-O[0-9sgf]")
    target_compile_options(${target} PRIVATE -O2)
  endif()
  target_compile_definitions(${target} PRIVATE XTGRAD_LEVEL=${level} XTGRAD_LANES=lanes_${level})
  target_include_directories(${target} PRIVATE "${xtgrad_include}" "${xtgrad_generated}")
  target_link_libraries(${target} PRIVATE xtgrad_deps)
  set(xtgrad_level_objects ${xtgrad_level_objects} $<TARGET_OBJECTS:${target}> PARENT_SCOPE)
endfunction()

xtgrad_add_level(avx2 -march=x86-64-v3)
xtgrad_add_level(avx512 -march=x86-64-v4)
