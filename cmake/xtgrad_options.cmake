# xtgrad_target_options(target): warnings, code generation and sanitizers, for our own targets only.

function(xtgrad_target_options target)
  set_target_properties(${target} PROPERTIES
                        CXX_EXTENSIONS OFF
                        CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${target} PRIVATE cxx_std_20)

  # A switch over an enumeration, such as Dtype, names every value, default or not: what is added to it falls through
  # nowhere.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Werror=switch
                                           -Werror=switch-enum)
  if(XTGRAD_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()

  # No program here reads errno after a math call or traps on a floating-point flag, and either promise keeps
  # loops from becoming SIMD. Never -ffast-math: infinities, NaN and -0 have exact gradients.
  target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math)
  if(XTGRAD_NATIVE)
    # For every target of ours or for none: a SIMD template compiled for two processors breaks the one-definition rule.
    target_compile_options(${target} PRIVATE -march=native)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12
       AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      # With AVX-512, g++ 12.2 makes the initializer list {1.0, 1.0, 0.0, 0.0} four ones: it broadcasts the first
      # half of some 32-byte constants. Copies of constants no wider than 16 bytes are right.
      target_compile_options(${target} PRIVATE -mmove-max=128 -mstore-max=128)
    endif()
  endif()

  if(XTGRAD_LEVELS)
    # Headers of kernels say so to whoever includes them: see autograd/kernels/levels/level.h.
    target_compile_definitions(${target} PRIVATE XTGRAD_LEVELS)
  endif()
  if(XTGRAD_ASSERTIONS)
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS XTENSOR_ENABLE_ASSERT)
  endif()
  if(XTGRAD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${XTGRAD_SANITIZE} -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${XTGRAD_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # The checks g++ inserts hide from it that a value was set.
      target_compile_options(${target} PRIVATE -Wno-error=maybe-uninitialized)
    endif()
  endif()
  if(XTGRAD_COVERAGE)
    # Counters are shared by threads.
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()
