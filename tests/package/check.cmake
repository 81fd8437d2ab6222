# Included by the scripts of the tests in this folder.
# run(what COMMAND ...): stops the test with the output if the command fails; leaves the output in `output`.
function(run what)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;ENVIRONMENT")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env ${arg_ENVIRONMENT} ${arg_COMMAND}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    string(JOIN " " command ${arg_COMMAND})
    message(FATAL_ERROR "${what} failed (${result}): ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Runs the outside project's program, which tests the library from outside.
function(run_consumer program)
  run("the outside program" COMMAND "${program}" ENVIRONMENT ${ARGN})
  if(NOT output MATCHES "all is well")
    message(FATAL_ERROR "the outside program did not come to its end:\n${output}")
  endif()
  message(STATUS "${output}")
endfunction()
