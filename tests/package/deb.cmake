# The Debian package: its fields and its files. Unpacked, not installed. KIND: static, the package of the test build;
# or both, the package that others get, whose preset is configured and built for it.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

find_program(DPKG_DEB dpkg-deb)
if(NOT DPKG_DEB)
  message("skipped: no dpkg-deb here, so this is no Debian system")
  return()
endif()
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
if(KIND STREQUAL "both")
  # From nothing, for options of an earlier run would stay.
  file(REMOVE_RECURSE "${BUILD}")
  run("configuring the preset" COMMAND "${CMAKE_COMMAND}" --preset package -S "${SOURCE}" -B "${BUILD}"
                                       "-DCMAKE_CXX_COMPILER=${COMPILER}")
  run("building the preset" COMMAND "${CMAKE_COMMAND}" --build "${BUILD}")
  # With the kernels for all sets of instructions.
  file(GLOB LIBRARY "${BUILD}/libxtgrad.so.*.*.*")
  set(LIMIT 20)
  set(STRIPPED "${WORK}/stripped.so")
  include("${CMAKE_CURRENT_LIST_DIR}/size.cmake")
  # Debian's own, since the prefix is /usr.
  file(STRINGS "${BUILD}/CMakeCache.txt" LIBDIR REGEX "^CMAKE_INSTALL_LIBDIR:")
  string(REGEX REPLACE "^[^=]*=" "" LIBDIR "${LIBDIR}")
endif()
run("cpack" COMMAND "${CPACK}" -G DEB -C "${CONFIG}" --config "${BUILD}/CPackConfig.cmake" -B "${WORK}"
                    # The time is spent here, on compressing.
                    -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip)
file(GLOB package "${WORK}/*.deb")
if(NOT package MATCHES "/libxtgrad-dev_${VERSION}_[a-z0-9]+\\.deb$")
  message(FATAL_ERROR "the package should be called libxtgrad-dev_${VERSION}_<architecture>.deb: '${package}'")
endif()

set(fields "Package: libxtgrad-dev" "Version: ${VERSION}" "Section: libdevel" "Maintainer: [^\n]+ <[^\n]+>"
           "Description: Reverse-mode")
set(files include/xtgrad/nn/linear.h share/doc/xtgrad/copyright ${LIBDIR}/libxtgrad.a
          ${LIBDIR}/cmake/xtgrad/xtgradConfig.cmake ${LIBDIR}/cmake/xtgrad/xtgradConfigVersion.cmake
          ${LIBDIR}/pkgconfig/xtgrad.pc)
if(KIND STREQUAL "both")
  # What the static library needs is only recommended: the shared one has it inside, or depends on it.
  list(APPEND fields "Depends: [^\n]*libopenblas0-serial \\| libopenblas0"
                     "Recommends: [^\n]*libfmt-dev, libopenblas-serial-dev"
                     "Headers, the static and the shared library, and files")
  find_program(SHLIBDEPS dpkg-shlibdeps)
  if(SHLIBDEPS)
    # With versions, which only the tool knows.
    list(APPEND fields "Depends: [^\n]*libc6 \\(>= " "Depends: [^\n]*libstdc\\+\\+6 \\(>= " "Depends: [^\n]*zlib1g \\(>= ")
  endif()
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" soversion "${VERSION}")
  list(APPEND files ${LIBDIR}/libxtgrad.so ${LIBDIR}/libxtgrad.so.${soversion} ${LIBDIR}/libxtgrad.so.${VERSION})
else()
  list(APPEND fields "Depends: [^\n]*libfmt-dev, libopenblas-serial-dev" "Headers, the static library, and files")
endif()

if(PLOT)
  list(APPEND files include/xtgrad/plot/chart.h ${LIBDIR}/libxtgrad_plot.a ${LIBDIR}/pkgconfig/xtgrad_plot.pc)
endif()
run("dpkg-deb --field" COMMAND "${DPKG_DEB}" --field "${package}")
foreach(field IN LISTS fields)
  if(NOT output MATCHES "${field}")
    message(FATAL_ERROR "the package should say '${field}':\n${output}")
  endif()
endforeach()
message(STATUS "${output}")

run("dpkg-deb --extract" COMMAND "${DPKG_DEB}" --extract "${package}" "${WORK}/root")
foreach(file IN LISTS files)
  if(NOT EXISTS "${WORK}/root/usr/${file}")
    message(FATAL_ERROR "the package should hold /usr/${file}")
  endif()
endforeach()
file(GLOB shared "${WORK}/root/usr/${LIBDIR}/libxtgrad.so*")
if(KIND STREQUAL "static" AND shared)
  message(FATAL_ERROR "the package says that it has the static library alone, and has ${shared}")
endif()
file(SIZE "${package}" size)
message(STATUS "${package} has ${size} bytes")
