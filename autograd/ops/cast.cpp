#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/batching.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/number_fit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/scalar_map.h"

namespace xtgrad::inline v1::detail {
namespace {

/// True where To, an integer, holds the value with its fraction cut off; where not, C++ defines no conversion
/// or wraps around.
template <class To, class From>
bool fits(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    return in_range<To>(std::trunc(static_cast<double>(value)));
  } else {
    return std::in_range<To>(value);
  }
}

template <class To, class From>
void check_fits(std::span<const From> values) {
  // A bool fits everywhere, and int64 holds every integer.
  if constexpr (!std::is_same_v<From, bool> && !(std::is_integral_v<From> && sizeof(To) == 8)) {
    for (const From value : values) {
      if (fits<To>(value)) continue;
      throw DtypeError(fmt::format("{}: the value {} does not fit {}", to_string(OpId::cast), value,
                                   to_string(dtype_of<To>)));
    }
  }
}

/// Throws DtypeError for the first value that the integer dtype cannot hold.
void check_fits(const Array& x, Dtype dtype) {
  visit(x.dtype, [&](auto from) {
    using From = decltype(from);
    const std::span values(x.data<From>(), static_cast<std::size_t>(x.numel()));
    visit_listed<IntegerTypes>(dtype, [&](auto to) { check_fits<decltype(to), From>(values); });
  });
}

class Cast final : public PrimitiveOf<Cast, OpId::cast> {
 public:
  explicit Cast(Dtype dtype = Dtype::float32) : dtype_(dtype) {}

  void describe(Attributes& a) override { a("dtype", dtype_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = dtype_;
    out[0]->shape = in[0]->shape;
  }
  void eval(Inputs in, Outputs out) const override {
    if (is_integer(dtype_)) check_fits(*in[0], dtype_);
    visit(in[0]->dtype, [&](auto from) {
      visit(dtype_, [&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        scalar_map<To, From>([](From v) { return static_cast<To>(v); }, *out[0], {in[0]});
      });
    });
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  void vjp(VjpContext& context) const override { context.set(0, cast(context.g(), context.dtype(0))); }

 private:
  Dtype dtype_;
};

}  // namespace

Tensor cast(const Tensor& x, Dtype dtype) {
  if (dtype == x.dtype()) return x;
  // Only floating dtypes have derivatives: a conversion to another cuts the graph.
  if (!is_floating(dtype)) return apply_constant(Cast(dtype), x);
  return apply(Cast(dtype), x);
}

}  // namespace xtgrad::v1::detail
