#pragma once

#include <cstdint>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

class ModuleScope;
class Watcher;

/// What a thread does with each operation, besides computing it.
using Mode = std::uint8_t;
inline constexpr Mode recording_mode = 1;  // results are nodes of the graph
inline constexpr Mode watched_mode = 2;    // computations take the long way, on which watchers are told
inline constexpr Mode refusing_mode =
    4;  // tensors that want a gradient are refused, but for those made since

/// What every operation asks of its thread, in one place so that one address computation serves all of it.
struct ThreadState {
  std::uint64_t last_id = 0;  // of the nodes made on this thread
  Mode mode = recording_mode;
  Dtype default_dtype = Dtype::float32;
  Watcher* watcher = nullptr;           // innermost; set only if the mode says so
  const ModuleScope* module = nullptr;  // whose forward is running, the innermost
  // The function with a rule of its own that runs, whose errors are named so, and for which the thread
  // refuses tensors; and the last id when it began.
  const char* refused_by = nullptr;
  std::uint64_t refused_until = 0;

  [[nodiscard]] bool records() const { return (mode & recording_mode) != 0; }
  [[nodiscard]] bool is_watched() const { return (mode & watched_mode) != 0; }
  /// Returns what was before.
  bool set_recording(bool on) {
    const bool before = records();
    mode = static_cast<Mode>(on ? mode | recording_mode : mode & ~recording_mode);
    return before;
  }
};

// initial-exec: an operation must not pay for a call that finds the thread's storage.
extern thread_local constinit ThreadState thread_state __attribute__((tls_model("initial-exec")));

}  // namespace xtgrad::v1::detail
