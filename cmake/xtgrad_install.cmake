# cmake --install: headers, the library, what find_package and pkg-config read, the licence. docs/install.md tells
# users what they get.
include(CMakePackageConfigHelpers)

set(xtgrad_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/xtgrad")

# --- What a static link needs ---------------------------------------------------------------------
# The shared library has its dependencies inside; the static one leaves them to the program that links it.

get_target_property(xtgrad_unknown_links xtgrad_deps INTERFACE_LINK_LIBRARIES)
list(REMOVE_ITEM xtgrad_unknown_links xtensor xsimd XtensorBlas::XtensorBlas nlohmann_json::nlohmann_json)  # headers
set(xtgrad_find_dependencies "")
set(xtgrad_install_links "")
set(xtgrad_pc_requires "")
set(xtgrad_pc_libs "")

# xtgrad_static_dependency(target FIND arguments... [MODULE pkg-config module] [LIBS flags...])
function(xtgrad_static_dependency target)
  if(NOT target IN_LIST xtgrad_unknown_links)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODULE" "FIND;LIBS")
  list(REMOVE_ITEM xtgrad_unknown_links ${target})
  string(JOIN " " find ${arg_FIND})
  string(APPEND xtgrad_find_dependencies "\n  find_dependency(${find})")
  list(APPEND xtgrad_install_links "$<INSTALL_INTERFACE:$<LINK_ONLY:${target}>>")
  list(APPEND xtgrad_pc_requires ${arg_MODULE})
  list(APPEND xtgrad_pc_libs ${arg_LIBS})
  foreach(name IN ITEMS unknown_links find_dependencies install_links pc_requires pc_libs)
    set(xtgrad_${name} "${xtgrad_${name}}" PARENT_SCOPE)
  endforeach()
endfunction()

# CBLAS as the linker's flags: /usr/lib/openblas-serial/libopenblas.so is -L/usr/lib/openblas-serial -lopenblas.
set(xtgrad_blas_flags "")
foreach(library IN LISTS Cblas_LIBRARIES)
  if(IS_ABSOLUTE "${library}" AND library MATCHES "^(.*)/lib([^/]+)\\.(so|a|dylib)$")
    if(NOT CMAKE_MATCH_1 IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND xtgrad_blas_flags "-L${CMAKE_MATCH_1}")
    endif()
    list(APPEND xtgrad_blas_flags "-l${CMAKE_MATCH_2}")
  else()
    list(APPEND xtgrad_blas_flags "${library}")
  endif()
endforeach()

xtgrad_static_dependency(fmt::fmt FIND fmt MODULE fmt)
xtgrad_static_dependency(ZLIB::ZLIB FIND ZLIB MODULE zlib)
# Not its pkg-config module: that one wants the libraries of libzip itself, whose development files need not be here.
xtgrad_static_dependency(Libzip::Libzip FIND Libzip LIBS -lzip)
xtgrad_static_dependency(PNG::PNG FIND PNG MODULE libpng)
xtgrad_static_dependency(JPEG::JPEG FIND JPEG MODULE libjpeg)
xtgrad_static_dependency(Threads::Threads FIND Threads LIBS -pthread)
xtgrad_static_dependency(Cblas::Cblas FIND Cblas LIBS ${xtgrad_blas_flags})
if(xtgrad_unknown_links)
  message(FATAL_ERROR "xtgrad: how does a program that links the static library find ${xtgrad_unknown_links}? "
                      "Say so in cmake/xtgrad_install.cmake")
endif()

# --- Libraries ------------------------------------------------------------------------------------
# xtgrad_install_library(target STATIC|SHARED name [install options...])
function(xtgrad_install_library target kind name)
  string(TOLOWER "${kind}" kind)
  # Both kinds have one name, such as xtgrad::xtgrad; xtgradConfig.cmake reads one of the two files.
  install(TARGETS ${target} EXPORT ${name}_${kind}
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${ARGN}
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${ARGN})
  install(EXPORT ${name}_${kind} NAMESPACE xtgrad:: FILE ${name}_${kind}.cmake DESTINATION "${xtgrad_cmake_dir}" ${ARGN})
endfunction()

# xtgrad_install_libraries(suffix STATIC|SHARED [install options...]): the engine's and the pictures' library.
function(xtgrad_install_libraries suffix kind)
  if(kind STREQUAL "STATIC")
    set_property(TARGET xtgrad${suffix} APPEND PROPERTY INTERFACE_LINK_LIBRARIES "${xtgrad_install_links}")
  endif()
  xtgrad_install_library(xtgrad${suffix} ${kind} xtgrad ${ARGN})
  if(xtgrad_has_plot)
    if(kind STREQUAL "STATIC")
      set_property(TARGET xtgrad_plot${suffix} APPEND PROPERTY INTERFACE_LINK_LIBRARIES
                   "$<INSTALL_INTERFACE:$<LINK_ONLY:fmt::fmt>>" "$<INSTALL_INTERFACE:$<LINK_ONLY:Cairo::Cairo>>")
    endif()
    xtgrad_install_library(xtgrad_plot${suffix} ${kind} xtgrad_plot ${ARGN})
  endif()
endfunction()

xtgrad_install_libraries("" ${xtgrad_kind})
if(XTGRAD_BOTH_LIBRARIES)
  xtgrad_install_libraries(_other ${xtgrad_other_kind})
elseif(TARGET xtgrad_other)
  # For the tests: cmake --install <build folder> --component xtgrad_other
  xtgrad_install_libraries(_other ${xtgrad_other_kind} COMPONENT xtgrad_other EXCLUDE_FROM_ALL)
endif()

# --- Headers --------------------------------------------------------------------------------------
# Which ones is found out at install time, so that no edit of a header has to configure anew.
install(CODE "set(xtgrad_source_dir \"${xtgrad_include}/xtgrad\")
set(xtgrad_header_dir \"${CMAKE_INSTALL_INCLUDEDIR}/xtgrad\")
set(xtgrad_has_plot ${xtgrad_has_plot})")
install(SCRIPT "${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake")

# --- find_package, pkg-config, licence ------------------------------------------------------------
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/xtgradConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/package/xtgradConfig.cmake"
                              INSTALL_DESTINATION "${xtgrad_cmake_dir}"
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/xtgradConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/package/xtgradConfig.cmake"
              "${PROJECT_BINARY_DIR}/package/xtgradConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindCblas.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindLibzip.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindCairo.cmake"
        DESTINATION "${xtgrad_cmake_dir}")

# The prefix is written relative to the file, so that the whole folder may be moved; not so where a folder of the
# installation is absolute.
set(xtgrad_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(xtgrad_pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH xtgrad_pc_prefix "/prefix/${xtgrad_pc_dir}" "/prefix")
  string(REGEX REPLACE "/$" "" xtgrad_pc_prefix "\${pcfiledir}/${xtgrad_pc_prefix}")
endif()
foreach(folder IN ITEMS LIBDIR INCLUDEDIR)
  set(xtgrad_pc_${folder} "\${prefix}")
  cmake_path(APPEND xtgrad_pc_${folder} "${CMAKE_INSTALL_${folder}}")  # an absolute one replaces the prefix
endforeach()
string(JOIN " " xtgrad_pc_requires ${xtgrad_pc_requires})
string(JOIN " " xtgrad_pc_libs ${xtgrad_pc_libs})
configure_file("${PROJECT_SOURCE_DIR}/cmake/xtgrad.pc.in" "${PROJECT_BINARY_DIR}/package/xtgrad.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/xtgrad.pc" DESTINATION "${xtgrad_pc_dir}")
if(xtgrad_has_plot)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/xtgrad_plot.pc.in" "${PROJECT_BINARY_DIR}/package/xtgrad_plot.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/package/xtgrad_plot.pc" DESTINATION "${xtgrad_pc_dir}")
endif()

# With the notice of the data that the library contains; that of the irises is the same file.
file(READ "${PROJECT_SOURCE_DIR}/LICENSE" own_licence)
file(READ "${PROJECT_SOURCE_DIR}/datasets/digits/LICENCE.txt" data_licence)
file(WRITE "${PROJECT_BINARY_DIR}/package/copyright" "${own_licence}
The library contains two data sets, digits and irises, in scikit-learn's copies. Of the following, which is
scikit-learn's copyright file, the first entry covers them.

${data_licence}")
install(FILES "${PROJECT_BINARY_DIR}/package/copyright" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/xtgrad")
