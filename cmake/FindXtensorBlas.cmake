# Finds the headers of xtensor-blas; defines XtensorBlas::XtensorBlas.
#
# Not through the package's own CMake file: that one adds whatever BLAS and LAPACK find_package sees first,
# which puts a second, often slow or threaded, BLAS next to the one Cblas::Cblas names.

find_path(XtensorBlas_INCLUDE_DIR xtensor-blas/xlinalg.hpp)
mark_as_advanced(XtensorBlas_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XtensorBlas REQUIRED_VARS XtensorBlas_INCLUDE_DIR)

if(XtensorBlas_FOUND AND NOT TARGET XtensorBlas::XtensorBlas)
  add_library(XtensorBlas::XtensorBlas INTERFACE IMPORTED)
  set_target_properties(XtensorBlas::XtensorBlas PROPERTIES
                        INTERFACE_INCLUDE_DIRECTORIES "${XtensorBlas_INCLUDE_DIR}")
endif()
