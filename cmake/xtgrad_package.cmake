# cpack: a Debian package with the headers and the libraries that are built. Use `cmake --preset package`, which leaves out this
# machine's instructions.
set(CPACK_PACKAGE_NAME libxtgrad-dev)
set(CPACK_PACKAGE_VENDOR "the xtgrad authors")
# Packagers name themselves: cpack -D CPACK_PACKAGE_CONTACT="..."
set(CPACK_PACKAGE_CONTACT "the xtgrad authors <xtgrad@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(xtgrad_deb_libraries "the static library")
if(XTGRAD_BOTH_LIBRARIES)
  set(xtgrad_deb_libraries "the static and the shared library")
elseif(BUILD_SHARED_LIBS)
  set(xtgrad_deb_libraries "the shared library")
endif()
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Tensors, modules, optimizers and data sets; derivatives of every order.
Headers, ${xtgrad_deb_libraries}, and files for CMake and pkg-config.")

set(xtgrad_deb_depends "libstdc++-12-dev | libstdc++-dev")
if(BUILD_SHARED_LIBS OR XTGRAD_BOTH_LIBRARIES)
  # What the shared library is linked with, by dpkg-shlibdeps where it is installed; else by hand. The serial
  # OpenBLAS by name in any case: others would do, but the default one starts threads of its own.
  list(APPEND xtgrad_deb_depends "libopenblas0-serial | libopenblas0")
  find_program(XTGRAD_SHLIBDEPS dpkg-shlibdeps)
  mark_as_advanced(XTGRAD_SHLIBDEPS)
  if(XTGRAD_SHLIBDEPS)
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  else()
    list(APPEND xtgrad_deb_depends libc6 libstdc++6 libgcc-s1 libfmt9 zlib1g)
    if(XTGRAD_TBB)
      list(APPEND xtgrad_deb_depends libtbb12)
    endif()
    if(Libzip_FOUND)
      list(APPEND xtgrad_deb_depends libzip4)
    endif()
  endif()
endif()

# What a program that links the static library needs: a must only where there is no other.
set(xtgrad_deb_static libfmt-dev "libopenblas-serial-dev | libopenblas-dev" zlib1g-dev)
if(XTGRAD_TBB)
  list(APPEND xtgrad_deb_static libtbb-dev)
endif()
if(Libzip_FOUND)
  list(APPEND xtgrad_deb_static libzip-dev)
endif()
if(XTGRAD_BOTH_LIBRARIES)
  string(JOIN ", " CPACK_DEBIAN_PACKAGE_RECOMMENDS ${xtgrad_deb_static})
elseif(NOT BUILD_SHARED_LIBS)
  list(APPEND xtgrad_deb_depends ${xtgrad_deb_static})
endif()
string(JOIN ", " CPACK_DEBIAN_PACKAGE_DEPENDS ${xtgrad_deb_depends})
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libxtensor-dev, pkg-config, cmake")

include(CPack)
