# What the shared library exports: xtgrad's own names, each of them declared in an installed header, and all that
# these declare. SHARED and STATIC are the libraries, made of the same objects. NAME: xtgrad, or plot.
cmake_policy(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

set(folders autograd nn optim datasets training)
set(least 300)
if(NAME STREQUAL "plot")
  set(folders plot)
  set(least 20)
endif()

# The words of the installed headers, without comments: words_nn, words_optim and so on, and all of them in words.
set(words "")
foreach(folder IN LISTS folders)
  file(GLOB_RECURSE headers "${PREFIX}/include/xtgrad/${folder}/*.h")
  set(text "")
  foreach(header IN LISTS headers)
    file(READ "${header}" contents)
    string(REGEX REPLACE "//[^\n]*" "" contents "${contents}")
    string(APPEND text "${contents}")
  endforeach()
  string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*" words_${folder} "${text}")
  list(REMOVE_DUPLICATES words_${folder})
  list(APPEND words ${words_${folder}})
endforeach()

# The symbols that nm prints, as a list.
function(list_symbols result)
  run("nm" COMMAND "${NM}" -C --defined-only ${ARGN})
  # Semicolons and brackets would change the list.
  string(REPLACE ";" "," output "${output}")
  string(REGEX REPLACE "\\[abi:cxx11\\]|\\[|\\]" "" output "${output}")
  string(REGEX MATCHALL "[^\n]+" lines "${output}")
  list(FILTER lines INCLUDE REGEX "^[0-9a-f]+ [A-Z] ")
  list(TRANSFORM lines REPLACE "^[0-9a-f]+ " "")
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

# The name alone: without kind, "vtable for" and the like, arguments and template arguments.
function(bare_name result line)
  string(REGEX REPLACE "^[A-Z] " "" symbol "${line}")
  string(REGEX REPLACE "^[A-Za-z -]+ (for|to) " "" symbol "${symbol}")
  # Template arguments first: they may hold parentheses, as those of ModuleOf<Tensor(const Tensor&)> do.
  while(symbol MATCHES "<[^<>]*>")
    string(REGEX REPLACE "<[^<>]*>" "" symbol "${symbol}")
  endwhile()
  string(REGEX REPLACE "\\(.*$" "" symbol "${symbol}")
  set(${result} "${symbol}" PARENT_SCOPE)
endfunction()

list_symbols(exported -D "${SHARED}")
set(count 0)
set(details 0)
foreach(line IN LISTS exported)
  bare_name(symbol "${line}")
  if(NAME STREQUAL "plot" AND line MATCHES "^[VW] " AND NOT symbol MATCHES "xtgrad::v1::plot::")
    continue()  # what the engine's headers define inline, such as types of errors
  endif()
  if(NOT symbol MATCHES "^(.* )?xtgrad::v1::")
    message(FATAL_ERROR "the shared library exports what is not xtgrad's: ${line}")
  endif()
  # Its own name, or that of its class: a class that a public header only mentions is exported with all it has.
  string(REGEX MATCH "operator|[A-Za-z0-9_]+$" name "${symbol}")
  string(REGEX REPLACE "^.*xtgrad::v1::((nn|optim|datasets|training|testing|plot|detail)::)*|::.*$" "" owner "${symbol}")
  if(NOT name IN_LIST words AND NOT owner IN_LIST words)
    message(FATAL_ERROR "no installed header declares '${name}', but the shared library exports it: ${line}")
  endif()
  math(EXPR count "${count} + 1")
  # BaseNames, a base of modules without functions, has a type's information for each signature that modules have.
  if(symbol MATCHES "::detail::" AND NOT symbol MATCHES "::detail::BaseNames$")
    math(EXPR details "${details} + 1")
    message(STATUS "detail of a public header: ${symbol}")
  endif()
endforeach()
if(count LESS least)
  message(FATAL_ERROR "only ${count} symbols were counted: the list is not what it should be")
endif()
# Five of them are of KnownPrimitive, in which primitives from outside are known; nine are what distributions that are
# templates call, five what WeightNorm and SpectralNorm do, and three what vmap and value_and_grad do.
if(details GREATER 59)
  message(FATAL_ERROR "${details} symbols of namespaces detail are exported: which public header mentions internals?")
endif()
message(STATUS "${count} symbols are exported, ${details} of them in a namespace detail")

# The other way round. T: functions with a definition of their own; inline ones need no export.
list_symbols(defined "${STATIC}")
list(FILTER defined INCLUDE REGEX "^T xtgrad::v1::")
list(FILTER defined EXCLUDE REGEX "::detail::|anonymous namespace")
list(LENGTH defined functions)
list(REMOVE_ITEM defined ${exported})
foreach(line IN LISTS defined)
  bare_name(symbol "${line}")
  set(folder autograd)
  if(symbol MATCHES "xtgrad::v1::(nn|optim|datasets|training|plot)::")
    set(folder ${CMAKE_MATCH_1})
  endif()
  string(REGEX MATCH "[A-Za-z0-9_]+$" name "${symbol}")
  if(name IN_LIST words_${folder})
    message(FATAL_ERROR "an installed header seems to declare '${name}', but the shared library does not export it. "
                        "Does its source include that header? ${line}")
  endif()
endforeach()
message(STATUS "${functions} functions outside of detail")
