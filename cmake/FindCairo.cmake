# Finds Cairo 1.14 or later; defines Cairo::Cairo.
#
# Without pkg-config, which would be one more thing that has to be there wherever xtgrad::plot is linked.

find_path(Cairo_INCLUDE_DIR cairo.h PATH_SUFFIXES cairo)
find_library(Cairo_LIBRARY cairo)
mark_as_advanced(Cairo_INCLUDE_DIR Cairo_LIBRARY)

set(Cairo_VERSION "")
if(Cairo_INCLUDE_DIR AND EXISTS "${Cairo_INCLUDE_DIR}/cairo-version.h")
  file(STRINGS "${Cairo_INCLUDE_DIR}/cairo-version.h" _cairo_lines REGEX "^#define CAIRO_VERSION_(MAJOR|MINOR|MICRO) [0-9]+")
  list(TRANSFORM _cairo_lines REPLACE "^.* ([0-9]+).*$" "\\1")
  string(JOIN "." Cairo_VERSION ${_cairo_lines})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Cairo REQUIRED_VARS Cairo_LIBRARY Cairo_INCLUDE_DIR VERSION_VAR Cairo_VERSION)

if(Cairo_FOUND AND NOT TARGET Cairo::Cairo)
  add_library(Cairo::Cairo UNKNOWN IMPORTED)
  set_target_properties(Cairo::Cairo PROPERTIES
                        IMPORTED_LOCATION "${Cairo_LIBRARY}"
                        INTERFACE_INCLUDE_DIRECTORIES "${Cairo_INCLUDE_DIR}")
endif()
