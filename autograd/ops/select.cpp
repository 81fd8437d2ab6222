#include <fmt/format.h>

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
  if (x.dtype() == Dtype::int64) integer_of(op, number);
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

/// Floating values that int64 cannot hold have no defined conversion in C++.
void check_fits_int64(const Tensor& x) {
  visit_floating(x.dtype(), [&](auto zero) {
    for (const auto value : x.data<decltype(zero)>()) {
      const auto number = static_cast<double>(value);
      if (number >= -0x1p63 && number < 0x1p63) continue;
      throw DtypeError(fmt::format("{}: the value {} does not fit int64", to_string(OpId::cast), number));
    }
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
  if (dtype == Dtype::int64 && is_floating(this->dtype())) detail::check_fits_int64(*this);
  // Only floating dtypes have derivatives: a conversion to int64 or bool cuts the graph.
  if (!is_floating(dtype)) return detail::make_constant(detail::Cast(dtype).forward(detail::array_of(*this)));
  return detail::apply(detail::Cast(dtype), *this);
}

}  // namespace xtgrad::inline v1
