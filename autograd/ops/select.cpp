#include <fmt/format.h>

#include <cmath>
#include <span>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/new_tensor.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Where final : public PrimitiveOf<OpId::where> {
 public:
  static Reads reads(Wanted) { return input_bit(0); }

  [[nodiscard]] Array forward(const Array& mask, const Array& a, const Array& b) const {
    Array out = Array::uninitialized(common_shape(to_string(op), mask.shape, a.shape, b.shape), a.dtype);
    visit(a.dtype, [&](auto zero) {
      using T = decltype(zero);
      scalar_map<T, bool, T, T>([](bool m, T v, T w) { return m ? v : w; }, out, {&mask, &a, &b});
    });
    return out;
  }

  void vjp(VjpContext& context) const override {
    const Tensor mask = context.input(0);
    if (context.wanted(1)) context.set(1, sum_to(where(mask, context.g, 0), context.shape(1)));
    if (context.wanted(2)) context.set(2, sum_to(where(mask, 0, context.g), context.shape(2)));
  }
};

/// Comparisons of two tensors of one dtype. They are never recorded: a bool has no gradient.
template <class Compare>
Tensor compare(OpId op, const Tensor& a, const Tensor& b, Compare compare) {
  check_same_dtype(op, a, b);
  const Array& left = array_of(a);
  const Array& right = array_of(b);
  Array out = Array::uninitialized(common_shape(to_string(op), left.shape, right.shape), Dtype::boolean);
  visit(left.dtype, [&](auto zero) {
    using T = decltype(zero);
    scalar_map<bool, T, T>(compare, out, {&left, &right});
  });
  return make_constant(std::move(out));
}

/// The number as a 0-d constant of the tensor's dtype.
Tensor constant_like(OpId op, const Tensor& x, double number) {
  if (is_integer(x.dtype())) integer_of(op, number, x.dtype());
  return full({}, number, {.dtype = x.dtype()});
}

class Cast final : public PrimitiveOf<OpId::cast> {
 public:
  explicit Cast(Dtype dtype) : dtype_(dtype) {}
  static Reads reads(Wanted) { return reads_nothing; }

  [[nodiscard]] Array forward(const Array& x) const {
    Array out = Array::uninitialized(x.shape, dtype_);
    visit(x.dtype, [&](auto from) {
      visit(dtype_, [&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        scalar_map<To, From>([](From v) { return static_cast<To>(v); }, out, {&x});
      });
    });
    return out;
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g.to(context.dtype(0))); }
  [[nodiscard]] std::string attributes() const override { return std::string(to_string(dtype_)); }

 private:
  Dtype dtype_;
};

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
void check_fits(const Tensor& x, Dtype dtype) {
  visit(x.dtype(), [&](auto from) {
    visit_listed<IntegerTypes>(dtype, [&](auto to) { check_fits<decltype(to)>(x.data<decltype(from)>()); });
  });
}

}}  // namespace detail

using detail::OpId;

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
  if (mask.dtype() != Dtype::boolean) {
    throw DtypeError(
        fmt::format("where: the mask must be bool, got {}; compare it first", to_string(mask.dtype())));
  }
  detail::check_same_dtype(OpId::where, a, b);
  return detail::apply(detail::Where{}, mask, a, b);
}

Tensor where(const Tensor& mask, const Tensor& a, double b) {
  return where(mask, a, detail::constant_like(OpId::where, a, b));
}

Tensor where(const Tensor& mask, double a, const Tensor& b) {
  return where(mask, detail::constant_like(OpId::where, b, a), b);
}

Tensor where_safe(const Tensor& mask, const Tensor& x, const std::function<Tensor(const Tensor&)>& f,
                  double other, double harmless) {
  return where(mask, f(where(mask, x, harmless)), other);
}

Tensor equal(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::equal, a, b, [](auto v, auto w) { return v == w; });
}
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::not_equal, a, b, [](auto v, auto w) { return v != w; });
}
Tensor less(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::less, a, b, [](auto v, auto w) { return v < w; });
}
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::less_equal, a, b, [](auto v, auto w) { return v <= w; });
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::greater, a, b, [](auto v, auto w) { return v > w; });
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return detail::compare(OpId::greater_equal, a, b, [](auto v, auto w) { return v >= w; });
}
Tensor equal(const Tensor& a, double b) { return equal(a, detail::constant_like(OpId::equal, a, b)); }
Tensor not_equal(const Tensor& a, double b) {
  return not_equal(a, detail::constant_like(OpId::not_equal, a, b));
}
Tensor less(const Tensor& a, double b) { return less(a, detail::constant_like(OpId::less, a, b)); }
Tensor less_equal(const Tensor& a, double b) {
  return less_equal(a, detail::constant_like(OpId::less_equal, a, b));
}
Tensor greater(const Tensor& a, double b) { return greater(a, detail::constant_like(OpId::greater, a, b)); }
Tensor greater_equal(const Tensor& a, double b) {
  return greater_equal(a, detail::constant_like(OpId::greater_equal, a, b));
}

Tensor Tensor::to(Dtype dtype) const {
  if (dtype == this->dtype()) return *this;
  if (is_integer(dtype)) detail::check_fits(*this, dtype);
  // Only floating dtypes have derivatives: a conversion to another cuts the graph.
  if (!is_floating(dtype)) return detail::make_constant(detail::Cast(dtype).forward(detail::array_of(*this)));
  return detail::apply(detail::Cast(dtype), *this);
}

}  // namespace xtgrad::inline v1
