# The Debian package: its fields and its files. Unpacked, not installed.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

find_program(DPKG_DEB dpkg-deb)
if(NOT DPKG_DEB)
  message("skipped: no dpkg-deb here, so this is no Debian system")
  return()
endif()
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
run("cpack" COMMAND "${CPACK}" -G DEB -C "${CONFIG}" --config "${BUILD}/CPackConfig.cmake" -B "${WORK}"
                    # The time is spent here, on compressing.
                    -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip)
file(GLOB package "${WORK}/*.deb")
if(NOT package MATCHES "/libxtgrad-dev_${VERSION}_[a-z0-9]+\\.deb$")
  message(FATAL_ERROR "the package should be called libxtgrad-dev_${VERSION}_<architecture>.deb: '${package}'")
endif()

run("dpkg-deb --field" COMMAND "${DPKG_DEB}" --field "${package}")
foreach(field IN ITEMS "Package: libxtgrad-dev" "Version: ${VERSION}" "Section: libdevel" "Maintainer: [^\n]+ <[^\n]+>"
                       # What the static library needs: the package of a test build has no other.
                       "Depends: [^\n]*libfmt-dev, libopenblas-serial-dev" "Description: Reverse-mode")
  if(NOT output MATCHES "${field}")
    message(FATAL_ERROR "the package should say '${field}':\n${output}")
  endif()
endforeach()

run("dpkg-deb --extract" COMMAND "${DPKG_DEB}" --extract "${package}" "${WORK}/root")
foreach(file IN ITEMS include/xtgrad/nn/linear.h share/doc/xtgrad/copyright ${LIBDIR}/libxtgrad.a
                      ${LIBDIR}/cmake/xtgrad/xtgradConfig.cmake ${LIBDIR}/pkgconfig/xtgrad.pc)
  if(NOT EXISTS "${WORK}/root/usr/${file}")
    message(FATAL_ERROR "the package should hold /usr/${file}")
  endif()
endforeach()
file(SIZE "${package}" size)
message(STATUS "${package} has ${size} bytes")
