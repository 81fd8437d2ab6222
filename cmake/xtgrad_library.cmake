# The libraries made of xtgrad_objects:
#   xtgrad::xtgrad  what users link: static, or shared with BUILD_SHARED_LIBS
#   xtgrad::static  what tests and benchmarks link, for they use what the shared library hides
#   xtgrad::shared
#   xtgrad::plot    pictures, of xtgrad_plot_objects and of the same kind as xtgrad::xtgrad
# The kind that was not asked for is made where XTGRAD_BOTH_LIBRARIES or the tests want it.

# Relocations that only add the address where the library lies, packed: they take a quarter of a megabyte else. glibc
# understands that from 2.36 on.
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)
check_cxx_source_compiles("#include <features.h>
#if !defined __GLIBC_PREREQ || !__GLIBC_PREREQ(2, 36)
#error older, or another library
#endif
int main() {}" XTGRAD_GLIBC_PACKS_RELOCATIONS)
if(XTGRAD_GLIBC_PACKS_RELOCATIONS)
  check_linker_flag(CXX LINKER:-z,pack-relative-relocs XTGRAD_LINKER_PACKS_RELOCATIONS)
endif()

# xtgrad_add_library(target STATIC|SHARED name export_name): of the objects <name>_objects and those of
# <name>_level_objects, with what <name>_deps names inside.
function(xtgrad_add_library target kind name export_name)
  add_library(${target} ${kind} $<TARGET_OBJECTS:${name}_objects> ${${name}_level_objects})
  set_target_properties(${target} PROPERTIES
                        LINKER_LANGUAGE CXX
                        OUTPUT_NAME ${name}
                        EXPORT_NAME ${export_name}
                        # Before 1.0 a new minor version may change the binary interface.
                        VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${xtgrad_include}>"
                                              "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:${name}_deps>")
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
    if(XTGRAD_LINKER_PACKS_RELOCATIONS)
      target_link_options(${target} PRIVATE LINKER:-z,pack-relative-relocs)
    endif()
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

xtgrad_add_library(xtgrad ${xtgrad_kind} xtgrad xtgrad)
add_library(xtgrad::xtgrad ALIAS xtgrad)

if(XTGRAD_BOTH_LIBRARIES OR XTGRAD_BUILD_TESTS OR (BUILD_SHARED_LIBS AND XTGRAD_BUILD_BENCHMARKS))
  xtgrad_add_library(xtgrad_other ${xtgrad_other_kind} xtgrad xtgrad)
endif()
if(TARGET xtgrad_other)
  string(TOLOWER "${xtgrad_other_kind}" kind)
  add_library(xtgrad::${kind} ALIAS xtgrad_other)
endif()
string(TOLOWER "${xtgrad_kind}" kind)
add_library(xtgrad::${kind} ALIAS xtgrad)

# --- Pictures -------------------------------------------------------------------------------------
# Another library, so that nobody links Cairo who draws nothing. In the build tree it is there without Cairo, too, and says
# what is missing; it is installed with Cairo alone.
option(XTGRAD_PLOT "Draw pictures, if Cairo is found" ON)
if(XTGRAD_PLOT)
  find_package(Cairo 1.14 QUIET)
  if(NOT Cairo_FOUND)
    message(STATUS "xtgrad: no pictures, for Cairo is missing (Debian: apt-get install libcairo2-dev)")
  endif()
endif()
add_library(xtgrad_plot_deps INTERFACE)
target_link_libraries(xtgrad_plot_deps INTERFACE fmt::fmt)
if(XTGRAD_PLOT AND Cairo_FOUND)
  set(xtgrad_has_plot TRUE)
  target_link_libraries(xtgrad_plot_deps INTERFACE Cairo::Cairo)
  target_compile_definitions(xtgrad_plot_deps INTERFACE XTGRAD_HAS_CAIRO)
else()
  set(xtgrad_has_plot FALSE)
endif()

file(GLOB xtgrad_plot_sources CONFIGURE_DEPENDS plot/*.cpp)
add_library(xtgrad_plot_objects OBJECT ${xtgrad_plot_sources})
xtgrad_target_options(xtgrad_plot_objects)
set_target_properties(xtgrad_plot_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_options(xtgrad_plot_objects PRIVATE -fno-semantic-interposition)
target_include_directories(xtgrad_plot_objects PRIVATE "${xtgrad_include}")
target_link_libraries(xtgrad_plot_objects PRIVATE xtgrad_plot_deps)

# xtgrad_add_plot_library(target STATIC|SHARED base): `base` is the library of the same kind.
function(xtgrad_add_plot_library target kind base)
  xtgrad_add_library(${target} ${kind} xtgrad_plot plot)
  target_link_libraries(${target} PUBLIC ${base})
  if(kind STREQUAL "SHARED" AND UNIX AND NOT APPLE)
    # It finds the engine's library beside itself, wherever the folder is moved to.
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
  endif()
endfunction()
xtgrad_add_plot_library(xtgrad_plot ${xtgrad_kind} xtgrad)
add_library(xtgrad::plot ALIAS xtgrad_plot)
if(TARGET xtgrad_other)
  xtgrad_add_plot_library(xtgrad_plot_other ${xtgrad_other_kind} xtgrad_other)
endif()
