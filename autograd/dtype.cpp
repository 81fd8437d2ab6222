#include "xtgrad/autograd/dtype.h"

#include <fmt/format.h>

#include <ostream>
#include <string>

#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace {

constexpr Dtype all_dtypes[] = {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) Dtype::name,
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
};

}  // namespace

std::string_view to_string(Dtype dtype) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return text;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  // Reached only by a byte cast to Dtype, such as one from a damaged file.
  throw InternalError(fmt::format("to_string: no dtype has the number {}", static_cast<int>(dtype)));
}

std::ostream& operator<<(std::ostream& out, Dtype dtype) { return out << to_string(dtype); }

Dtype parse_dtype(std::string_view name) {
  std::string known;
  for (const Dtype dtype : all_dtypes) {
    if (name == to_string(dtype)) return dtype;
    known += known.empty() ? "" : ", ";
    known += to_string(dtype);
  }
  throw DtypeError(fmt::format("parse_dtype: unknown dtype \"{}\": known are {}", name, known));
}

Dtype default_dtype() { return detail::thread_state.default_dtype; }

namespace {

thread_local constinit detail::ScopedSetting<Dtype>* default_scopes = nullptr;

Dtype checked_default(Dtype dtype) {
  if (is_floating(dtype)) return dtype;
  throw DtypeError(
      fmt::format("DefaultDtype: the default must be float32 or float64: got {}", to_string(dtype)));
}

}  // namespace

DefaultDtype::DefaultDtype(Dtype dtype)
    : scope_((static_cast<void>(checked_default(dtype)), default_scopes), default_dtype()) {
  detail::thread_state.default_dtype = dtype;
}

DefaultDtype::~DefaultDtype() {
  detail::thread_state.default_dtype = scope_.leave(default_scopes, default_dtype());
}

}  // namespace xtgrad::v1
