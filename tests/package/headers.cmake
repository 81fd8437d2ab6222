# The installed headers: which they are, and that they stand on their own.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

set(include "${PREFIX}/include")
file(GLOB_RECURSE headers RELATIVE "${include}" "${include}/*")
list(LENGTH headers count)
if(count LESS 40)
  message(FATAL_ERROR "only ${count} headers are installed")
endif()
message(STATUS "${count} headers are installed")

# A namespace that is not opened with XTGRAD_PUBLIC has hidden symbols: nobody outside could call what it declares.
foreach(header IN LISTS headers)
  file(STRINGS "${include}/${header}" hidden REGEX "inline namespace v1")
  if(hidden OR NOT header MATCHES "\\.h$|/dtypes\\.def$")
    message(FATAL_ERROR "${header} is internal; which public header includes it?")
  endif()
endforeach()
foreach(header IN ITEMS autograd/core/node.h autograd/kernels/levels/lanes.h autograd/memory/pool.h nn/listing.h)
  if(NOT EXISTS "${SOURCE}/${header}" OR EXISTS "${include}/xtgrad/${header}")
    message(FATAL_ERROR "${header} should be in the sources, and not be installed")
  endif()
endforeach()

# All of them in one file, backwards: a header that leans on those before it in the alphabet is found.
list(FILTER headers INCLUDE REGEX "\\.h$")
list(REVERSE headers)
list(REMOVE_ITEM headers xtgrad/autograd/interop.h)  # needs xtensor, which users need not have
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE lines)
string(CONCAT text ${lines})
set(source "${PREFIX}/all_headers.cpp")
file(WRITE "${source}" "${text}")
run("compiling all headers" COMMAND "${COMPILER}" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow
                                    -Wconversion -Werror "-I${include}" "${source}")

# The same where a program has included others' headers with their macros before; ours are behind the standard
# library's, which nobody expects to survive `max`.
set(standard "")
file(GLOB_RECURSE public_headers "${include}/xtgrad/*.h")
foreach(header IN LISTS public_headers)
  file(STRINGS "${header}" includes REGEX "^#include <[a-z_/0-9]+(\\.h)?>")
  list(APPEND standard ${includes})
endforeach()
list(REMOVE_DUPLICATES standard)
list(JOIN standard "\n" standard)
set(source "${PREFIX}/after_macros.cpp")
file(WRITE "${source}" "${standard}\n#include \"tests/package/platform_macros.h\"\n${text}")
run("compiling all headers after macros of platforms" COMMAND "${COMPILER}" -std=c++20 -fsyntax-only
    "-I${include}" "-I${SOURCE}" "${source}")

# The model whose compile time is measured; here, so that it goes on compiling.
run("compiling the model of benchmarks/compile_time" COMMAND "${COMPILER}" -std=c++20 -fsyntax-only -Wall -Wextra
    -Werror "-I${include}" "${SOURCE}/benchmarks/compile_time/conv_net.cpp")

set(INCLUDE "${include}")
include("${SOURCE}/cmake/check_public_headers.cmake")
