#include <fmt/format.h>

#include <cmath>
#include <span>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Where final : public PrimitiveOf<Where, OpId::where> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    if (in[0]->dtype != Dtype::boolean) {
      throw DtypeError(
          fmt::format("where: the mask must be bool, got {}; compare it first", to_string(in[0]->dtype)));
    }
    check_same_dtype(op, *in[1], *in[2]);
    out[0]->dtype = in[1]->dtype;
    out[0]->shape = common_shape(op, in[0]->shape, in[1]->shape, in[2]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    visit(out[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      scalar_map<T, bool, T, T>([](bool m, T v, T w) { return m ? v : w; }, *out[0], {in[0], in[1], in[2]});
    });
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b110; }

  void vjp(VjpContext& context) const override {
    const Tensor mask = context.input(0);
    if (context.wanted(1)) context.set(1, sum_to(where(mask, context.g(), 0), context.shape(1)));
    if (context.wanted(2)) context.set(2, sum_to(where(mask, 0, context.g()), context.shape(2)));
  }
};

/// Comparisons of two tensors of one dtype: Self offers `compare(v, w)`. They are never recorded: a bool has
/// no gradient.
template <class Self, OpId Id>
class Comparison : public ConstantPrimitive<Self> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_dtype(Id, *in[0], *in[1]);
    out[0]->dtype = Dtype::boolean;
    out[0]->shape = common_shape(Id, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    visit(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      scalar_map<bool, T, T>([](T v, T w) { return Self::compare(v, w); }, *out[0], {in[0], in[1]});
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }

 protected:
  ~Comparison() = default;
};

struct Equal final : Comparison<Equal, OpId::equal> {
  static bool compare(auto v, auto w) { return v == w; }
};
struct NotEqual final : Comparison<NotEqual, OpId::not_equal> {
  static bool compare(auto v, auto w) { return v != w; }
};
struct Less final : Comparison<Less, OpId::less> {
  static bool compare(auto v, auto w) { return v < w; }
};
struct LessEqual final : Comparison<LessEqual, OpId::less_equal> {
  static bool compare(auto v, auto w) { return v <= w; }
};
struct Greater final : Comparison<Greater, OpId::greater> {
  static bool compare(auto v, auto w) { return v > w; }
};
struct GreaterEqual final : Comparison<GreaterEqual, OpId::greater_equal> {
  static bool compare(auto v, auto w) { return v >= w; }
};

/// The number as a 0-d constant of the tensor's dtype.
Tensor constant_like(OpId op, const Tensor& x, double number) {
  if (is_integer(x.dtype())) integer_of(op, number, x.dtype());
  return full({}, number, {.dtype = x.dtype()});
}

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
  explicit Cast(Dtype dtype) : dtype_(dtype) {}

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
  void vjp(VjpContext& context) const override { context.set(0, context.g().to(context.dtype(0))); }

 private:
  Dtype dtype_;
};

}}  // namespace detail

using detail::OpId;

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
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

Tensor equal(const Tensor& a, const Tensor& b) { return detail::apply_constant(detail::Equal{}, a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::NotEqual{}, a, b);
}
Tensor less(const Tensor& a, const Tensor& b) { return detail::apply_constant(detail::Less{}, a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::LessEqual{}, a, b);
}
Tensor greater(const Tensor& a, const Tensor& b) { return detail::apply_constant(detail::Greater{}, a, b); }
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::GreaterEqual{}, a, b);
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
  // Only floating dtypes have derivatives: a conversion to another cuts the graph.
  if (!is_floating(dtype)) return detail::apply_constant(detail::Cast(dtype), *this);
  return detail::apply(detail::Cast(dtype), *this);
}

}  // namespace xtgrad::v1
