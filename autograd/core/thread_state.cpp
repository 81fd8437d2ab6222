#include "xtgrad/autograd/core/thread_state.h"

namespace xtgrad::inline v1::detail {

thread_local constinit ThreadState thread_state __attribute__((tls_model("initial-exec")));

}  // namespace xtgrad::v1::detail
