#pragma once

#include <span>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// A source, by its name, and a call of one of its functions, which is never made.
struct Mention {
  const char* source;
  Tensor (*call)(const Tensor& x);
};

/// Makes the compiler believe that they might be called.
inline void keep_mentioned(std::span<const Mention> mentions) {
  asm volatile("" : : "r"(mentions.data()) : "memory");
}

}  // namespace xtgrad::v1::detail
