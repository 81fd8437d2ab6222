#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

template <class T>
using BitsOf =
    std::conditional_t<sizeof(T) == 1, std::uint8_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                          std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// m ? v : w by bits, all of them or none: compilers make branches of conditions, and a branch that goes
/// either way costs as much as twenty elements.
template <class T>
T choose(bool m, T v, T w) {
  using Bits = BitsOf<T>;
  const auto of_v = static_cast<Bits>(Bits{0} - std::bit_cast<std::uint8_t>(m));
  return std::bit_cast<T>(
      static_cast<Bits>((std::bit_cast<Bits>(v) & of_v) | (std::bit_cast<Bits>(w) & ~of_v)));
}

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
      scalar_map<T, bool, T, T>([](bool m, T v, T w) { return choose(m, v, w); }, *out[0],
                                {in[0], in[1], in[2]});
    });
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b110; }

  void vjp(VjpContext& context) const override {
    const Tensor mask = context.input(0);
    if (context.wanted(1)) context.set(1, summed_to(where(mask, context.g(), 0), context.shape(1)));
    if (context.wanted(2)) context.set(2, summed_to(where(mask, 0, context.g()), context.shape(2)));
  }
};

/// The number as a 0-d constant.
Tensor constant(Scalar number, Dtype dtype) {
  check_number(OpId::where, dtype, number);
  return full({}, number, {.dtype = dtype});
}

}}  // namespace detail

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
  return detail::apply(detail::Where{}, mask, a, b);
}

Tensor where(const Tensor& mask, const Tensor& a, Scalar b) {
  return where(mask, a, detail::constant(b, a.dtype()));
}

Tensor where(const Tensor& mask, Scalar a, const Tensor& b) {
  return where(mask, detail::constant(a, b.dtype()), b);
}

Tensor where(const Tensor& mask, Scalar a, Scalar b) {
  return where(mask, detail::constant(a, default_dtype()), detail::constant(b, default_dtype()));
}

}  // namespace xtgrad::v1
