# xtgrad_find(name debian_package): find_package that notes what is missing instead of stopping there.
# xtgrad_report_missing(): stops with one message that names all of it.
# Macros, because find modules set variables that their caller needs.

set(xtgrad_missing "")
set(xtgrad_missing_packages "")

macro(xtgrad_find name debian_package)
  find_package(${name} QUIET)
  if(NOT ${name}_FOUND)
    list(APPEND xtgrad_missing "${name}")
    list(APPEND xtgrad_missing_packages "${debian_package}")
  endif()
endmacro()

macro(xtgrad_report_missing)
  if(xtgrad_missing)
    string(JOIN ", " names ${xtgrad_missing})
    string(JOIN " " packages ${xtgrad_missing_packages})
    set(text "xtgrad cannot be configured without: ${names}\nOn Debian or Ubuntu:\n  apt-get install ${packages}\n")
    if("Cblas" IN_LIST xtgrad_missing)
      string(APPEND text "Cblas: ${Cblas_NOT_FOUND_MESSAGE}\n")
    endif()
    message(FATAL_ERROR "${text}Elsewhere install these libraries and, if CMake does not see them, name "
                        "their folders in CMAKE_PREFIX_PATH.")
  endif()
endmacro()
