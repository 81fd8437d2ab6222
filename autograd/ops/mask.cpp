#include "xtgrad/autograd/functions/mask.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/mask.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slice.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Its result's shape depends on elements, so it has been counted before: the count is an attribute.
class Nonzero final : public ConstantPrimitive<Nonzero> {
 public:
  explicit Nonzero(std::int64_t count = 0) : count_(count) {}

  [[nodiscard]] std::string_view name() const override { return to_string(OpId::nonzero); }
  void describe(Attributes& a) override { a("count", count_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = Dtype::int64;
    out[0]->shape = {count_, static_cast<std::int64_t>(in[0]->shape.rank())};
  }
  void eval(Inputs in, Outputs out) const override {
    if (const std::int64_t count = count_set(*in[0]); count != count_)
      throw ValueError(fmt::format("nonzero: {} elements are not 0, where there were {}", count, count_));
    fill_set_places(*in[0], *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_attribute(count_ >= 0, name(), "count", "at least 0", count_);
  }

 private:
  std::int64_t count_;
};

/// For each element the one of a source, of `size` elements, that it is replaced by where the mask is true:
/// as many as there are true ones before it.
class MaskedPlaces final : public ConstantPrimitive<MaskedPlaces> {
 public:
  explicit MaskedPlaces(std::int64_t size = 0) : size_(size) {}

  [[nodiscard]] std::string_view name() const override { return "masked_places"; }
  void describe(Attributes& a) override { a("size", size_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = Dtype::int64;
    out[0]->shape = in[0]->shape;
  }
  void eval(Inputs in, Outputs out) const override {
    if (const std::int64_t count = count_set(*in[0]); count > size_) {
      throw ValueError(fmt::format(
          "masked_scatter: source must have an element for each that the mask chooses: it has {}, "
          "the mask chooses {}",
          size_, count));
    }
    count_before(*in[0], std::max<std::int64_t>(0, size_ - 1), *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_dtype(name(), "the mask", *in[0], Dtype::boolean);
    require_attribute(size_ >= 0, name(), "size", "at least 0", size_);
  }

 private:
  std::int64_t size_;
};

void check_mask(OpId op, const Tensor& mask) {
  if (mask.dtype() == Dtype::boolean) return;
  throw DtypeError(fmt::format("{}: the mask must be bool, got {}; compare it first", to_string(op),
                               to_string(mask.dtype())));
}

/// The same of a mask that only may be stretched to x's shape.
void check_mask_of(OpId op, const Tensor& x, const Tensor& mask) {
  check_mask(op, mask);
  if (broadcast_shapes(to_string(op), x.shape(), mask.shape()) == x.shape()) return;
  throw ShapeError(fmt::format("{}: the mask does not stretch to x's shape: x is {}, the mask is {}",
                               to_string(op), to_string(x.shape()), to_string(mask.shape())));
}

Tensor nonzero_as(std::string_view function, const Tensor& x) {
  const Array& array = array_of(x);
  tell_reading(array, function);
  return apply_constant(Nonzero(count_set(array)), x);
}

Tensor flat(const Tensor& x) { return reshaped(x, {x.numel()}); }

}}  // namespace detail

using detail::OpId;

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  detail::check_mask_of(OpId::masked_fill, x, mask);
  detail::check_number(OpId::masked_fill, x.dtype(), value);
  return where(mask, value, x);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  detail::check_mask(OpId::masked_select, mask);
  const Shape shape = detail::common_shape(OpId::masked_select, x.shape(), mask.shape());
  const Tensor chosen = detail::flat(detail::stretched_to(mask, shape));
  const Tensor places = detail::nonzero_as(to_string(OpId::masked_select), chosen);
  return index_select(detail::flat(detail::stretched_to(x, shape)), 0, detail::flat(places));
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  detail::check_mask_of(OpId::masked_scatter, x, mask);
  detail::check_same_dtype(OpId::masked_scatter, detail::array_of(x), detail::array_of(source),
                           {"x", "source"});
  const std::int64_t size = source.numel();
  const Tensor whole = detail::stretched_to(mask, x.shape());
  const Tensor places = detail::apply_constant(detail::MaskedPlaces(size), whole);
  // Where there is nothing, nothing is chosen, but an element is read.
  const Tensor elements = size > 0 ? detail::flat(source) : detail::padded(detail::flat(source), {.high = 1});
  const Tensor chosen = index_select(elements, 0, detail::flat(places));
  return where(whole, detail::reshaped(chosen, x.shape()), x);
}

Tensor nonzero(const Tensor& x) { return detail::nonzero_as(to_string(OpId::nonzero), x); }

}  // namespace xtgrad::v1
