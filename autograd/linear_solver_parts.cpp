#include "xtgrad/autograd/linear_solver_parts.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

struct UsualTolerance {
  double operator()(float) const { return 1e-5; }
  double operator()(double) const { return 1e-10; }
};

}  // namespace

void check_like(std::string_view function, const Tensor& result, const Tensor& argument) {
  if (result.shape() != argument.shape()) {
    throw ShapeError(fmt::format("{}: the map's result has shape {}, its argument has {}", function,
                                 to_string(result.shape()), to_string(argument.shape())));
  }
  if (result.dtype() != argument.dtype()) {
    throw DtypeError(fmt::format("{}: the map's result is {}, its argument is {}", function,
                                 to_string(result.dtype()), to_string(argument.dtype())));
  }
}

void check_floating(std::string_view function, const Tensor& b) {
  if (is_floating(b.dtype())) return;
  throw DtypeError(fmt::format("{}: b must be float32 or float64: got {}", function, to_string(b.dtype())));
}

double usual_tolerance(Dtype dtype) { return visit_floating(dtype, UsualTolerance{}); }

double dot(const Tensor& a, const Tensor& b) { return sum(a * b).item(); }

}  // namespace xtgrad::v1::detail
