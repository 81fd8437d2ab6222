#include "xtgrad/nn/residual.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

Residual::Residual(const Residual& other) = default;
Residual& Residual::operator=(const Residual& other) = default;

Tensor Residual::forward(const Tensor& x) {
  const Tensor change = body()(x);
  Module* const shortcut = projection();
  const Tensor kept = shortcut != nullptr ? (*shortcut)(x) : x;
  const char* const what = shortcut != nullptr ? "projection gives" : "input is";
  if (change.shape() != kept.shape()) {
    throw ShapeError(fmt::format("{}: body gives {}, {} {}; the two are added{}", label(),
                                 to_string(change.shape()), what, to_string(kept.shape()),
                                 shortcut != nullptr ? "" : ", so give a projection to the body's shape"));
  }
  if (change.dtype() != kept.dtype()) {
    throw DtypeError(fmt::format("{}: body gives {}, {} {}; the two are added", label(),
                                 to_string(change.dtype()), what, to_string(kept.dtype())));
  }
  return kept + change;
}

void Residual::members(Members& m) {
  m("body", body());
  if (Module* const shortcut = projection()) m("projection", *shortcut);
}

}  // namespace xtgrad::v1::nn
