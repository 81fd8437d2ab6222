#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/comparison.h"
#include "xtgrad/autograd/functions/logic.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct And {
  static auto of(auto a, auto b) { return a & b; }
};
struct Or {
  static auto of(auto a, auto b) { return a | b; }
};
struct Xor {
  static auto of(auto a, auto b) { return a ^ b; }
};

/// Throws DtypeError unless x is bool or of integers.
void check_bits(OpId op, const Spec& x) {
  if (!is_floating(x.dtype)) return;
  throw DtypeError(fmt::format("{}: needs bool or integers, got {}; compare first, or convert with to(int64)",
                               to_string(op), to_string(x.dtype)));
}

/// f on the elements of bool and integer tensors, of type T.
template <class F>
void visit_bits(Dtype dtype, const F& f) {
  visit(dtype, [&](auto zero) {
    if constexpr (std::is_integral_v<decltype(zero)>) f(zero);
  });
}

template <class F, OpId Id>
class Bitwise final : public ConstantPrimitive<Bitwise<F, Id>> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_dtype(Id, *in[0], *in[1]);
    check_bits(Id, *in[0]);
    *out[0] = {common_shape(Id, in[0]->shape, in[1]->shape), in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    visit_bits(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      scalar_map<T, T, T>([](T a, T b) { return static_cast<T>(F::of(a, b)); }, *out[0], {in[0], in[1]});
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 2); }
};

class BitwiseNot final : public ConstantPrimitive<BitwiseNot> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(OpId::bitwise_not); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_bits(OpId::bitwise_not, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    visit_bits(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      scalar_map<T, T>(
          [](T a) {
            if constexpr (std::same_as<T, bool>)
              return !a;
            else
              return static_cast<T>(~a);
          },
          *out[0], {in[0]});
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
};

struct Left {
  static std::int64_t of(std::int64_t x, std::int64_t count) {
    return count > 63 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(x) << count);
  }
};
struct Right {
  static std::int64_t of(std::int64_t x, std::int64_t count) { return x >> (count > 63 ? 63 : count); }
};

/// Of int64. Bits that leave the number are gone.
template <class F, OpId Id>
class Shift final : public ConstantPrimitive<Shift<F, Id>> {
 public:
  [[nodiscard]] std::string_view name() const override { return to_string(Id); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_same_dtype(Id, *in[0], *in[1], {"x", "count"});
    if (in[0]->dtype != Dtype::int64) {
      throw DtypeError(fmt::format("{}: needs int64, got {}; convert with to(int64)", to_string(Id),
                                   to_string(in[0]->dtype)));
    }
    *out[0] = {common_shape(Id, in[0]->shape, in[1]->shape), Dtype::int64};
  }
  void eval(Inputs in, Outputs out) const override {
    const std::int64_t* counts = in[1]->data<std::int64_t>();
    for (std::int64_t i = 0; i < in[1]->numel(); ++i) {
      if (counts[i] >= 0) continue;
      throw ValueError(fmt::format("{}: count must not be negative, got {} at element {} of {}",
                                   to_string(Id), counts[i], i, to_string(in[1]->shape)));
    }
    scalar_map<std::int64_t, std::int64_t, std::int64_t>(
        [](std::int64_t x, std::int64_t count) { return F::of(x, count); }, *out[0], {in[0], in[1]});
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 2); }
};

/// Throws DtypeError unless both are of one dtype.
void check_alike(OpId op, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, {a.shape(), a.dtype()}, {b.shape(), b.dtype()});
}

/// True where x is not 0, NaN included.
Tensor truth_of(const Tensor& x) { return x.dtype() == Dtype::boolean ? x : not_equal(x, 0); }

}}  // namespace detail

Tensor logical_and(const Tensor& a, const Tensor& b) {
  detail::check_alike(detail::OpId::logical_and, a, b);
  return bitwise_and(detail::truth_of(a), detail::truth_of(b));
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  detail::check_alike(detail::OpId::logical_or, a, b);
  return bitwise_or(detail::truth_of(a), detail::truth_of(b));
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  detail::check_alike(detail::OpId::logical_xor, a, b);
  return bitwise_xor(detail::truth_of(a), detail::truth_of(b));
}
Tensor bitwise_and(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::Bitwise<detail::And, detail::OpId::bitwise_and>(), a, b);
}
Tensor bitwise_or(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::Bitwise<detail::Or, detail::OpId::bitwise_or>(), a, b);
}
Tensor bitwise_xor(const Tensor& a, const Tensor& b) {
  return detail::apply_constant(detail::Bitwise<detail::Xor, detail::OpId::bitwise_xor>(), a, b);
}
Tensor left_shift(const Tensor& x, const Tensor& count) {
  return detail::apply_constant(detail::Shift<detail::Left, detail::OpId::left_shift>(), x, count);
}
Tensor right_shift(const Tensor& x, const Tensor& count) {
  return detail::apply_constant(detail::Shift<detail::Right, detail::OpId::right_shift>(), x, count);
}
Tensor logical_not(const Tensor& x) { return equal(x, 0); }
Tensor bitwise_not(const Tensor& x) { return detail::apply_constant(detail::BitwiseNot(), x); }

}  // namespace xtgrad::v1
