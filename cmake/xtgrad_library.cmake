# The libraries made of xtgrad_objects:
#   xtgrad::xtgrad  what users link: static, or shared with BUILD_SHARED_LIBS
#   xtgrad::static  what tests and benchmarks link, for they use what the shared library hides
#   xtgrad::shared
# The kind that was not asked for is made where XTGRAD_BOTH_LIBRARIES or the tests want it.

# xtgrad_add_library(target STATIC|SHARED)
function(xtgrad_add_library target kind)
  add_library(${target} ${kind} $<TARGET_OBJECTS:xtgrad_objects>)
  set_target_properties(${target} PROPERTIES
                        LINKER_LANGUAGE CXX
                        OUTPUT_NAME xtgrad
                        EXPORT_NAME xtgrad
                        # Before 1.0 a new minor version may change the binary interface.
                        VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${xtgrad_include}>"
                                              "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:xtgrad_deps>")
  if(XTGRAD_SANITIZE)
    target_link_options(${target} PRIVATE -fsanitize=${XTGRAD_SANITIZE})
  endif()
  if(XTGRAD_COVERAGE)
    target_link_options(${target} PRIVATE --coverage)
  endif()
  if(kind STREQUAL "SHARED" AND UNIX AND NOT APPLE)
    set(map "${PROJECT_SOURCE_DIR}/cmake/xtgrad.map")
    target_link_options(${target} PRIVATE "LINKER:--version-script=${map}" LINKER:--exclude-libs,ALL)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${map}")
    if(NOT XTGRAD_SANITIZE)
      # Sanitizers leave their own functions to the program.
      target_link_options(${target} PRIVATE LINKER:--no-undefined)
    endif()
  endif()
endfunction()

set(xtgrad_kind STATIC)
set(xtgrad_other_kind SHARED)
if(BUILD_SHARED_LIBS)
  set(xtgrad_kind SHARED)
  set(xtgrad_other_kind STATIC)
endif()

xtgrad_add_library(xtgrad ${xtgrad_kind})
add_library(xtgrad::xtgrad ALIAS xtgrad)

if(XTGRAD_BOTH_LIBRARIES OR XTGRAD_BUILD_TESTS OR (BUILD_SHARED_LIBS AND XTGRAD_BUILD_BENCHMARKS))
  xtgrad_add_library(xtgrad_other ${xtgrad_other_kind})
endif()
if(TARGET xtgrad_other)
  string(TOLOWER "${xtgrad_other_kind}" kind)
  add_library(xtgrad::${kind} ALIAS xtgrad_other)
endif()
string(TOLOWER "${xtgrad_kind}" kind)
add_library(xtgrad::${kind} ALIAS xtgrad)
