# The wall: <xtgrad/xtgrad.h> must not reach xtensor, xsimd or BLAS, whose headers cost seconds a file.
# Run as cmake -D COMPILER=... -D INCLUDE=... -P check_public_headers.cmake
execute_process(COMMAND "${COMPILER}" -std=c++20 -M "-I${INCLUDE}" "${INCLUDE}/xtgrad/xtgrad.h"
                OUTPUT_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "xtgrad/xtgrad.h does not compile on its own")
endif()
string(REGEX MATCHALL "[^ \n]+\\.h" headers "${output}")
list(LENGTH headers count)
if(count LESS 20)
  message(FATAL_ERROR "only ${count} headers were counted: the list is not what it should be")
endif()
string(REGEX MATCHALL "[^ \n]*/(xtensor|xtensor-blas|xflens|xsimd|xtl)/[^ \n]*|[^ \n]*/cblas\\.h" found "${output}")
if(found)
  list(GET found 0 first)
  message(FATAL_ERROR "xtgrad/xtgrad.h includes ${first}; keep it behind the .cpp files.\n"
                      "To see the path: ${COMPILER} -std=c++20 -H -fsyntax-only -I${INCLUDE} ${INCLUDE}/xtgrad/xtgrad.h")
endif()
message(STATUS "xtgrad/xtgrad.h reaches ${count} .h files, none of them of xtensor, xsimd or BLAS")
