#include "xtgrad/autograd/core/recording.h"

namespace xtgrad::inline v1::detail {

thread_local constinit ScopedSetting<bool>* recording_scopes __attribute__((tls_model("initial-exec"))) =
    nullptr;

}  // namespace xtgrad::v1::detail
