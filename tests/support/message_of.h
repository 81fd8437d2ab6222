#pragma once

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::testing {

/// The message of the E that a call throws, or that it threw none; an error of another class gets through.
template <class E = Error, class F>
std::string message_of(F f) {
  try {
    static_cast<void>(f());
  } catch (const E& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace xtgrad::testing
