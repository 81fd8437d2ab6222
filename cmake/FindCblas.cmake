# Finds a library that offers the C interface of BLAS, and LAPACK in it or beside it; defines Cblas::Cblas and
# Cblas_LIBRARIES.
#
# XTGRAD_BLAS_LIBRARIES, if set, is taken, with liblapack before it if there is no LAPACK in it. Otherwise Debian's serial OpenBLAS comes first: the pthread
# build would start its threads before main, which makes every reference count atomic, and fight ours for the
# cores. The serial one must not be called by two threads at once; kernels/blas_turn.cpp sees to that. Whatever is chosen must link a program that calls cblas_sgemm: reference BLAS often lacks it.

include(CheckCXXSourceCompiles)
include(CMakePushCheckState)

function(_cblas_try libraries)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_QUIET ON)
  # Cached by library, so that another choice is checked anew.
  string(MAKE_C_IDENTIFIER "Cblas_links_${libraries}" key)
  check_cxx_source_compiles([[
    extern "C" void cblas_sgemm(int, int, int, int, int, int, float, const float*, int, const float*, int,
                                float, float*, int);
    int main() {
      float a = 2, b = 3, c = 0;
      cblas_sgemm(101, 111, 111, 1, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
      return c == 6 ? 0 : 1;
    }]] ${key})
  cmake_pop_check_state()
  set(links "${${key}}" PARENT_SCOPE)
endfunction()

set(Cblas_LIBRARIES "")
if(XTGRAD_BLAS_LIBRARIES)
  _cblas_try("${XTGRAD_BLAS_LIBRARIES}")
  if(links)
    set(Cblas_LIBRARIES ${XTGRAD_BLAS_LIBRARIES})
  else()
    set(Cblas_NOT_FOUND_MESSAGE "no program with cblas_sgemm links with XTGRAD_BLAS_LIBRARIES=${XTGRAD_BLAS_LIBRARIES}")
  endif()
else()
  set(_cblas_serial_dirs "")
  foreach(_dir IN ITEMS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} /usr/lib /usr/lib64)
    list(APPEND _cblas_serial_dirs "${_dir}/openblas-serial")
  endforeach()
  find_library(Cblas_SERIAL_OPENBLAS openblas PATHS ${_cblas_serial_dirs} NO_DEFAULT_PATH)
  find_library(Cblas_OPENBLAS NAMES openblas openblas_serial openblaso)
  find_library(Cblas_BLIS blis)
  find_library(Cblas_CBLAS cblas)
  find_library(Cblas_BLAS blas)
  mark_as_advanced(Cblas_SERIAL_OPENBLAS Cblas_OPENBLAS Cblas_BLIS Cblas_CBLAS Cblas_BLAS)
  foreach(_name IN ITEMS SERIAL_OPENBLAS OPENBLAS BLIS CBLAS BLAS)
    if(Cblas_${_name})
      _cblas_try("${Cblas_${_name}}")
      if(links)
        set(Cblas_LIBRARIES "${Cblas_${_name}}")
        break()
      endif()
    endif()
  endforeach()
  set(Cblas_NOT_FOUND_MESSAGE
      "no library with cblas_sgemm links; install OpenBLAS (best its serial build), or name one in XTGRAD_BLAS_LIBRARIES")
endif()

# OpenBLAS has LAPACK in it; others want it beside them.
function(_cblas_try_lapack libraries)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_QUIET ON)
  string(MAKE_C_IDENTIFIER "Lapack_links_${libraries}" key)
  check_cxx_source_compiles([[
    extern "C" void dgelsd_();
    int main(int count, char**) {
      if (count > 100) dgelsd_();
      return 0;
    }]] ${key})
  cmake_pop_check_state()
  set(links "${${key}}" PARENT_SCOPE)
endfunction()

if(Cblas_LIBRARIES)
  _cblas_try_lapack("${Cblas_LIBRARIES}")
  if(NOT links)
    find_library(Cblas_LAPACK lapack)
    mark_as_advanced(Cblas_LAPACK)
    if(Cblas_LAPACK)
      list(PREPEND Cblas_LIBRARIES "${Cblas_LAPACK}")
      _cblas_try_lapack("${Cblas_LIBRARIES}")
    endif()
    if(NOT links)
      set(Cblas_NOT_FOUND_MESSAGE
          "no LAPACK (dgelsd) in ${Cblas_LIBRARIES} nor beside it; install OpenBLAS, or liblapack-dev")
      set(Cblas_LIBRARIES "")
    endif()
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Cblas REQUIRED_VARS Cblas_LIBRARIES)

if(Cblas_FOUND AND NOT TARGET Cblas::Cblas)
  if(NOT Cblas_REPORTED STREQUAL Cblas_LIBRARIES)
    message(STATUS "xtgrad: BLAS is ${Cblas_LIBRARIES}")
    if(NOT XTGRAD_BLAS_LIBRARIES AND NOT Cblas_SERIAL_OPENBLAS)
      message(STATUS "xtgrad: this may not be a single-threaded BLAS; run with OPENBLAS_NUM_THREADS=1, or install "
                     "Debian's libopenblas-serial-dev")
    endif()
    set(Cblas_REPORTED "${Cblas_LIBRARIES}" CACHE INTERNAL "the BLAS last reported")
  endif()
  add_library(Cblas::Cblas INTERFACE IMPORTED)
  set_target_properties(Cblas::Cblas PROPERTIES INTERFACE_LINK_LIBRARIES "${Cblas_LIBRARIES}")
endif()
