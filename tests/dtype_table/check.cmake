# An added dtype is met by the compiler wherever somebody has to say what becomes of it.
# cmake -D COMPILER=... -D SOURCE=... -D FMT=folders... -P check.cmake, from CMakeLists.txt
cmake_policy(VERSION 3.21)
set(folder "${SOURCE}/tests/dtype_table")
set(base "${COMPILER}" -std=c++20 -fsyntax-only -Werror=switch -Werror=switch-enum)
list(TRANSFORM FMT PREPEND "-I")
set(own "-I${SOURCE}/include" ${FMT})
# Found first, because includes of "xtgrad/..." look through these folders in turn.
set(added "-I${folder}/added" "-I${SOURCE}" -include "${folder}/added/brain16.h" ${own})

function(compiles source)
  execute_process(COMMAND ${base} ${ARGN} "${source}" RESULT_VARIABLE result ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${source} does not compile:\n${output}")
  endif()
endfunction()

# refused(source flags...): does not compile, and the compiler speaks of the added dtype. With the library's own table
# it compiles: the build does so.
function(refused source)
  execute_process(COMMAND ${base} ${ARGN} "${source}" RESULT_VARIABLE result ERROR_VARIABLE output)
  if(result EQUAL 0)
    message(FATAL_ERROR "${source} compiles with an added dtype, though nobody said what becomes of it")
  endif()
  if(NOT output MATCHES "[Bb]rain16")
    message(FATAL_ERROR "${source} was refused, but for something else than the added dtype:\n${output}")
  endif()
endfunction()

foreach(define IN ITEMS -DWITHOUT_DEFAULT -DWITH_DEFAULT)
  compiles("${folder}/by_hand.cpp" ${define} ${own})
  refused("${folder}/by_hand.cpp" ${define} ${added})
endforeach()

# What converts elements, prints them or names them in files.
foreach(source IN ITEMS tensor.cpp creation.cpp from_values.cpp print.cpp io/elements.cpp)
  refused("${SOURCE}/autograd/${source}" ${added})
endforeach()
# What moves elements as they are.
compiles("${SOURCE}/autograd/kernels/levels/gather.cpp" ${added})
