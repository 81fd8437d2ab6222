#pragma once

#include <cstdint>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

struct RuleMutation;

/// What every operation asks of its thread, in one place so that one address computation serves all of it.
struct ThreadState {
  std::uint64_t last_id = 0;  // of the nodes made on this thread
  bool recording = true;
  Dtype default_dtype = Dtype::float32;
  const RuleMutation* mutation = nullptr;  // set by the mutation test alone
};

// initial-exec: an operation must not pay for a call that finds the thread's storage.
extern thread_local constinit ThreadState thread_state __attribute__((tls_model("initial-exec")));

}  // namespace xtgrad::inline v1::detail
