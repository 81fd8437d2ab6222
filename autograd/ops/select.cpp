#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/choose_rows.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// The cotangent where the mask is true, for the first input, and where it is not, for the second: in one
/// pass, and null where one is not wanted.
class WhereRule final : public ConstantPrimitive<WhereRule> {
 public:
  [[nodiscard]] std::string_view name() const override { return "where.rule0"; }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 2}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    for (Spec* one : out) *one = *in[1];
  }
  void eval(Inputs in, Outputs out) const override {
    visit_floating(in[1]->dtype, [&](auto zero) {
      using T = decltype(zero);
      if (out[0] != nullptr && out[1] != nullptr && in[0]->shape == in[1]->shape) {
        split(in[0]->data<bool>(), in[1]->data<T>(), in[1]->numel(), out[0]->mutable_data<T>(),
              out[1]->mutable_data<T>());
        return;
      }
      static constexpr T nothing = 0;
      const auto take = [](const std::int64_t* strides, T* to, std::int64_t n, const bool* mask, const T* g) {
        choose_row(sizeof(T), n, mask, g, &nothing, {strides[0] == 0, strides[1] == 0, true}, to);
      };
      const auto leave = [](const std::int64_t* strides, T* to, std::int64_t n, const bool* mask,
                            const T* g) {
        choose_row(sizeof(T), n, mask, &nothing, g, {strides[0] == 0, true, strides[1] == 0}, to);
      };
      if (out[0] != nullptr) for_each_result_row<T, bool, T>(*out[0], {in[0], in[1]}, take);
      if (out[1] != nullptr) for_each_result_row<T, bool, T>(*out[1], {in[0], in[1]}, leave);
    });
  }
  /// The cotangent has all dimensions.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const BatchInput &mask = context.input(0), &g = context.input(1);
    const std::array inputs{mask, BatchInput{repeated(g, context.size()), true}};
    BatchContext full(context.size(), inputs);
    if (!batch_by_broadcasting(*this, full)) return false;
    std::vector<Tensor> results = full.take_results();
    for (std::size_t k = 0; k < results.size(); ++k) context.set(k, std::move(results[k]));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2, true);
    require_dtype(name(), "the mask", *in[0], Dtype::boolean);
    check_floating(OpId::where, *in[1]);
    require_stretches(name(), in[0]->shape, in[1]->shape);
  }

 private:
  template <class T>
  static void split(const bool* mask, const T* g, std::int64_t n, T* taken, T* left) {
    for_each_tile((n + tile_elements - 1) / tile_elements, [=](std::int64_t tile) {
      const std::int64_t first = tile * tile_elements;
      split_row(sizeof(T), std::min(tile_elements, n - first), mask + first, g + first, taken + first,
                left + first);
    });
  }
};

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
      static_assert(sizeof(T) == 1 || sizeof(T) == 4 || sizeof(T) == 8);
      const auto row = [](const std::int64_t* strides, T* to, std::int64_t n, const bool* mask, const T* v,
                          const T* w) {
        choose_row(sizeof(T), n, mask, v, w, {strides[0] == 0, strides[1] == 0, strides[2] == 0}, to);
      };
      for_each_result_row<T, bool, T, T>(*out[0], {in[0], in[1], in[2]}, row);
    });
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b110; }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 3); }

  void vjp(VjpContext& context) const override {
    const Tensor mask = context.input(0);
    if (!thread_state.records() || !wants_gradient(context.g())) {
      std::array<Array, 2> gradients;
      std::array<Array*, 2> out{};
      for (std::size_t k = 0; k < 2; ++k) out[k] = context.wanted(k + 1) ? &gradients[k] : nullptr;
      compute(WhereRule{}, std::array{&array_of(mask), &array_of(context.g())}, out);
      for (std::size_t k = 0; k < 2; ++k) {
        if (out[k] != nullptr)
          context.set(k + 1, summed_to(make_constant(std::move(gradients[k])), context.shape(k + 1)));
      }
      return;
    }
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
