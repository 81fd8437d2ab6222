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

DefaultDtype::DefaultDtype(Dtype dtype) : before_(detail::thread_state.default_dtype) {
  if (!is_floating(dtype)) {
    throw DtypeError(
        fmt::format("DefaultDtype: the default must be float32 or float64: got {}", to_string(dtype)));
  }
  detail::thread_state.default_dtype = dtype;
}

DefaultDtype::~DefaultDtype() { detail::thread_state.default_dtype = before_; }

}  // namespace xtgrad::v1
