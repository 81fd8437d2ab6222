#include "xtgrad/autograd/core/thread_state.h"

namespace xtgrad::inline v1::detail {

// Watched, though by nobody, until its first computation has looked at how the thread computes (compute.cpp).
thread_local constinit ThreadState thread_state
    __attribute__((tls_model("initial-exec"))) = {.mode = recording_mode | watched_mode};

}  // namespace xtgrad::v1::detail
