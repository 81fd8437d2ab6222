#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The integer that stands for a fraction in a comparison with integers: v < 2.5 is v < 3, and v > 2.5 is
/// v > 2, but no integer does for v == 2.5.
enum class Nearest { none, below, above };

struct IsEqual {
  static constexpr Nearest nearest = Nearest::none;
  static bool compare(auto v, auto w) { return v == w; }
};
struct IsNotEqual {
  static constexpr Nearest nearest = Nearest::none;
  static bool compare(auto v, auto w) { return v != w; }
};
struct IsLess {
  static constexpr Nearest nearest = Nearest::above;
  static bool compare(auto v, auto w) { return v < w; }
};
struct IsLessEqual {
  static constexpr Nearest nearest = Nearest::below;
  static bool compare(auto v, auto w) { return v <= w; }
};
// The other way round they are the same loops.
struct IsGreater {
  using Mirrored = IsLess;
  static constexpr Nearest nearest = Nearest::below;
  static bool compare(auto v, auto w) { return v > w; }
};
struct IsGreaterEqual {
  using Mirrored = IsLessEqual;
  static constexpr Nearest nearest = Nearest::above;
  static bool compare(auto v, auto w) { return v >= w; }
};

template <class Relation>
void compare_elements(const Array& a, const Array& b, Array& out) {
  visit(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    scalar_map<bool, T, T>([](T v, T w) { return Relation::compare(v, w); }, out, {&a, &b});
  });
}

/// A comparison of two tensors of one dtype. It is never recorded: a bool has no gradient.
template <class Relation, OpId Id>
class Comparison final : public ConstantPrimitive<Comparison<Relation, Id>> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_dtype(Id, *in[0], *in[1]);
    out[0]->dtype = Dtype::boolean;
    out[0]->shape = common_shape(Id, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    if constexpr (requires { typename Relation::Mirrored; }) {
      compare_elements<typename Relation::Mirrored>(*in[1], *in[0], *out[0]);
    } else {
      compare_elements<Relation>(*in[0], *in[1], *out[0]);
    }
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 2); }
};

/// What a comparison of integers with a number comes to: one answer for all of them, or the same comparison
/// with an integer. Exact: nothing is rounded on the way.
struct IntegerQuestion {
  std::optional<bool> answer = std::nullopt;
  std::int64_t bound = 0;
};

template <class Relation>
IntegerQuestion integer_question(Scalar number) {
  const double real = number.to_double();
  if (holds<std::int64_t>(number)) return {.answer = std::nullopt, .bound = number.to_int64()};
  // Beyond int64, and NaN: no integer differs from any other.
  if (!in_range<std::int64_t>(real) || Relation::nearest == Nearest::none) {
    return {.answer = Relation::compare(0.0, real)};
  }
  const double whole = Relation::nearest == Nearest::above ? std::ceil(real) : std::floor(real);
  return {.answer = std::nullopt, .bound = static_cast<std::int64_t>(whole)};
}

/// A comparison with a C++ number. Elements of bool and of integers meet the number itself, whatever it is;
/// those of floating dtypes the number in their dtype, so that x == 0.1 finds what 0.1 became in x.
template <class Relation, OpId Id>
class NumberComparison final : public ConstantPrimitive<NumberComparison<Relation, Id>> {
 public:
  explicit NumberComparison(Scalar number = 0) : number_(number) {}

  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void describe(Attributes& a) override { a("number", number_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    if (is_floating(in[0]->dtype)) check_number(Id, in[0]->dtype, number_);
    out[0]->dtype = Dtype::boolean;
    out[0]->shape = in[0]->shape;
  }
  void eval(Inputs in, Outputs out) const override {
    visit(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_floating_point_v<T>) {
        compare_all<T>(*in[0], *out[0], static_cast<T>(number_.to_double()));
      } else {
        const IntegerQuestion question = integer_question<Relation>(number_);
        if (question.answer) {
          std::fill_n(out[0]->mutable_data<bool>(), out[0]->numel(), *question.answer);
        } else {
          compare_all<T>(*in[0], *out[0], question.bound);
        }
      }
    });
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }

 private:
  template <class T, class Number>
  static void compare_all(const Array& x, Array& out, Number number) {
    scalar_map<bool, T>([number](T v) { return Relation::compare(static_cast<Number>(v), number); }, out,
                        {&x});
  }

  Scalar number_;
};

struct IsNan {
  static bool of(auto v) { return std::isnan(v); }
  static constexpr bool of_integers = false;
};
struct IsInf {
  static bool of(auto v) { return std::isinf(v); }
  static constexpr bool of_integers = false;
};
struct IsFinite {
  static bool of(auto v) { return std::isfinite(v); }
  static constexpr bool of_integers = true;
};

/// What kind of number an element is; bool and integers are finite.
template <class Kind, OpId Id>
class NumberKind final : public ConstantPrimitive<NumberKind<Kind, Id>> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = {in[0]->shape, Dtype::boolean}; }
  void eval(Inputs in, Outputs out) const override {
    visit(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_floating_point_v<T>) {
        scalar_map<bool, T>([](T v) { return Kind::of(v); }, *out[0], {in[0]});
      } else {
        std::fill_n(out[0]->mutable_data<bool>(), out[0]->numel(), Kind::of_integers);
      }
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }
};

template <class Relation, OpId Id>
Tensor compare(const Tensor& a, const Tensor& b) {
  return apply_constant(Comparison<Relation, Id>(), a, b);
}
template <class Relation, OpId Id>
Tensor compare(const Tensor& x, Scalar number) {
  return apply_constant(NumberComparison<Relation, Id>(number), x);
}

}}  // namespace detail

// NOLINTBEGIN(bugprone-macro-parentheses): names cannot be put in parentheses
#define XTGRAD_COMPARISON(function, Relation)                                             \
  Tensor function(const Tensor& a, const Tensor& b) {                                     \
    return detail::compare<detail::Relation, detail::OpId::function>(a, b);               \
  }                                                                                       \
  Tensor function(const Tensor& x, Scalar number) {                                       \
    return detail::compare<detail::Relation, detail::OpId::function##_number>(x, number); \
  }
XTGRAD_COMPARISON(equal, IsEqual)
XTGRAD_COMPARISON(not_equal, IsNotEqual)
XTGRAD_COMPARISON(less, IsLess)
XTGRAD_COMPARISON(less_equal, IsLessEqual)
XTGRAD_COMPARISON(greater, IsGreater)
XTGRAD_COMPARISON(greater_equal, IsGreaterEqual)
#undef XTGRAD_COMPARISON
// NOLINTEND(bugprone-macro-parentheses)

Tensor isnan(const Tensor& x) {
  return detail::apply_constant(detail::NumberKind<detail::IsNan, detail::OpId::isnan>(), x);
}
Tensor isinf(const Tensor& x) {
  return detail::apply_constant(detail::NumberKind<detail::IsInf, detail::OpId::isinf>(), x);
}
Tensor isfinite(const Tensor& x) {
  return detail::apply_constant(detail::NumberKind<detail::IsFinite, detail::OpId::isfinite>(), x);
}

}  // namespace xtgrad::v1
