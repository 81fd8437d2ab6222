# Installs the public headers, those that say XTGRAD_PUBLIC, with the umbrella headers and whatever these include.
# Run by cmake --install, which sets xtgrad_source_dir and xtgrad_header_dir.

cmake_policy(VERSION 3.21)

# A header's path from the source folder, as in #include "xtgrad/<path>".
set(waiting xtgrad.h autograd/observe.h training/training.h)
foreach(folder IN ITEMS autograd nn optim datasets training)
  file(GLOB_RECURSE candidates FOLLOW_SYMLINKS RELATIVE "${xtgrad_source_dir}" "${xtgrad_source_dir}/${folder}/*.h")
  foreach(header IN LISTS candidates)
    file(STRINGS "${xtgrad_source_dir}/${header}" opens REGEX "inline namespace XTGRAD_PUBLIC ")
    if(opens)
      list(APPEND waiting "${header}")
    endif()
  endforeach()
endforeach()

set(public "")
while(waiting)
  list(POP_FRONT waiting header)
  if(header IN_LIST public)
    continue()
  endif()
  list(APPEND public "${header}")
  file(STRINGS "${xtgrad_source_dir}/${header}" includes REGEX "^ *# *include [\"<]xtgrad/")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^[^\"<]*[\"<]xtgrad/([^\">]+).*" "\\1" included "${line}")
    list(APPEND waiting "${included}")
  endforeach()
endwhile()

if(NOT IS_ABSOLUTE "${xtgrad_header_dir}")
  set(xtgrad_header_dir "${CMAKE_INSTALL_PREFIX}/${xtgrad_header_dir}")
endif()
foreach(header IN LISTS public)
  get_filename_component(folder "${header}" DIRECTORY)
  file(INSTALL "${xtgrad_source_dir}/${header}" DESTINATION "${xtgrad_header_dir}/${folder}")
endforeach()
