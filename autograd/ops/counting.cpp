#include "xtgrad/autograd/ops/counting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/counting.h"
#include "xtgrad/autograd/kernels/levels/sum.h"
#include "xtgrad/autograd/kernels/truth.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

class CountNonzero final : public ConstantPrimitive<CountNonzero> {
 public:
  static constexpr OpId op = OpId::count_nonzero;
  explicit CountNonzero(const ReducedAxes& axes = {}) : axes_(axes) {}

  [[nodiscard]] std::string_view name() const override { return to_string(op); }
  void describe(Attributes& a) override { axes_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = Dtype::int64;
    out[0]->shape = axes_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    const Array truth = truth_of(*in[0]);
    if (const std::optional<AxisView> run = one_run(truth.shape, axes_.mask))
      return count_axis(truth, run->outer, run->axis, run->inner, *out[0]);
    Array ones = Array::uninitialized(truth.shape, Dtype::int64);
    std::copy_n(truth.data<bool>(), truth.numel(), ones.mutable_data<std::int64_t>());
    reduce_axes(ones, axes_.mask, sum_axis, *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    axes_.check_loaded(name(), in[0]->shape);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 private:
  ReducedAxes axes_;
};

class Bincount final : public ConstantPrimitive<Bincount> {
 public:
  static constexpr OpId op = OpId::bincount;
  explicit Bincount(std::int64_t bins = 0) : bins_(bins) {}

  [[nodiscard]] std::string_view name() const override { return to_string(op); }
  void describe(Attributes& a) override { a("bins", bins_); }
  void infer(InputSpecs, OutputSpecs out) const override { *out[0] = {Shape{bins_}, Dtype::int64, {}}; }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(op, *in[0], {"the result", 0, bins_});
    count_values(*in[0], *out[0]);
  }
  /// An example's bins are behind those of the one before.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const Tensor& values = context.input(0).tensor;
    const Tensor rows = reshaped(values, {values.size(0), values.numel() / values.size(0)});
    const Tensor counts = apply_constant(Bincount(bins_ * context.size()), ids_across(rows, op, bins_));
    context.set(0, reshaped(counts, {context.size(), bins_}));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_dtype(name(), "x", *in[0], Dtype::int64);
    require_attribute(bins_ >= 0, name(), "bins", "at least 0", bins_);
  }

 private:
  std::int64_t bins_;
};

class Histc final : public ConstantPrimitive<Histc> {
 public:
  static constexpr OpId op = OpId::histc;
  explicit Histc(const HistcOptions& options = {})
      : bins_(options.bins), low_(options.low), high_(options.high) {}

  [[nodiscard]] std::string_view name() const override { return to_string(op); }
  void describe(Attributes& a) override {
    a("bins", bins_);
    a("low", low_, std::nullopt);
    a("high", high_, std::nullopt);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(op, *in[0]);
    *out[0] = {Shape{bins_}, Dtype::int64, {}};
  }
  void eval(Inputs in, Outputs out) const override {
    Range range;
    if (!low_ || !high_) range = finite_range(*in[0]);
    range = {low_.value_or(range.low), high_.value_or(range.high)};
    if (!(range.low < range.high)) {  // one number, or none: in the middle
      range.low -= low_ ? 0 : 0.5;
      range.high += high_ ? 0 : 0.5;
      if (!(range.low < range.high)) {
        std::fill_n(out[0]->mutable_data<std::int64_t>(), bins_, std::int64_t{0});
        return;
      }
    }
    count_in_bins(*in[0], range, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check();
  }

  void check() const {
    if (bins_ < 1) throw ValueError(fmt::format("histc: needs at least one bin: got {}", bins_));
    const double low = low_.value_or(0), high = high_.value_or(0);
    const bool both = low_.has_value() && high_.has_value();
    if (std::isfinite(low) && std::isfinite(high) && (!both || low < high)) return;
    throw ValueError(fmt::format("histc: low must be less than high, and both finite: got {} and {}",
                                 low_ ? fmt::format("{}", low) : "none",
                                 high_ ? fmt::format("{}", high) : "none"));
  }

 private:
  std::int64_t bins_;
  std::optional<double> low_, high_;
};

class Searchsorted final : public ConstantPrimitive<Searchsorted> {
 public:
  static constexpr OpId op = OpId::searchsorted;
  explicit Searchsorted(bool right = false) : right_(right) {}

  [[nodiscard]] std::string_view name() const override { return to_string(op); }
  void describe(Attributes& a) override { a("right", right_, false); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(op, *in[0]);
    check_same_dtype(op, *in[0], *in[1], {"sorted", "values"});
    const Shape &sorted = in[0]->shape, &values = in[1]->shape;
    const bool fits = sorted.rank() == 1 || (sorted.rank() > 1 && sorted.rank() == values.rank() &&
                                             std::equal(sorted.begin(), sorted.end() - 1, values.begin()));
    if (!fits) {
      throw ShapeError(
          fmt::format("searchsorted: sorted must be [n], or have the dimensions of values but for the "
                      "last one: sorted is {}, values are {}",
                      to_string(sorted), to_string(values)));
    }
    *out[0] = {values, Dtype::int64, {}};
  }
  void eval(Inputs in, Outputs out) const override { search_rows(*in[0], *in[1], right_, *out[0]); }
  /// Rows of both, or one row for all values.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const BatchInput &sorted = context.input(0), &values = context.input(1);
    if (example_rank(sorted) > 1) return batch_by_leading(*this, context);
    if (!sorted.is_batched) {
      context.set(0, apply_constant(*this, sorted.tensor, values.tensor));
      return true;
    }
    Tensor rows = repeated(values, context.size());
    const Shape shape = rows.shape();
    rows = reshaped(rows, {shape[0], shape.numel() / shape[0]});
    context.set(0, reshaped(apply_constant(*this, sorted.tensor, rows), shape));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }

 private:
  bool right_;
};

/// Of sorted elements, and the places where they were, those that differ, which are so many.
class UniqueOfSorted final : public ConstantPrimitive<UniqueOfSorted> {
 public:
  explicit UniqueOfSorted(std::int64_t count = 0) : count_(count) {}

  [[nodiscard]] std::string_view name() const override { return to_string(OpId::unique); }
  void describe(Attributes& a) override { a("count", count_); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 3}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {Shape{count_}, in[0]->dtype, {}};
    *out[1] = {in[0]->shape, Dtype::int64, {}};
    *out[2] = {Shape{count_}, Dtype::int64, {}};
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(OpId::unique, *in[1], {"x", 0, in[0]->numel()});
    const std::int64_t count = count_different(*in[0]);
    if (count != count_)
      throw ValueError(fmt::format("unique: {} elements differ, in place of {}", count, count_));
    Array spare_values, spare_inverse, spare_counts;
    const auto wanted = [&](std::size_t k, const Shape& shape, Dtype dtype, Array& spare) -> Array& {
      if (out[k] != nullptr) return *out[k];
      return spare = Array::uninitialized(shape, dtype);
    };
    part_runs(*in[0], *in[1], wanted(0, Shape{count}, in[0]->dtype, spare_values),
              wanted(1, in[0]->shape, Dtype::int64, spare_inverse),
              wanted(2, Shape{count}, Dtype::int64, spare_counts));
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2, true);
    check_numeric(OpId::unique, *in[0]);
    require_spec(name(), "the places", *in[1], {in[0]->shape, Dtype::int64, {}});
    require_attribute(count_ >= 0, name(), "count", "at least 0", count_);
  }

 private:
  std::int64_t count_;
};

/// The number of bins that the elements of x need. Throws ValueError for a negative one.
std::int64_t bins_for(const Array& x, std::int64_t least) {
  if (least < 0) throw ValueError(fmt::format("bincount: least must be at least 0: got {}", least));
  tell_reading(x, "bincount");
  const auto* const values = x.data<std::int64_t>();
  std::int64_t bins = least;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    if (values[i] < 0)
      throw ValueError(fmt::format("bincount: elements must be at least 0: got {}", values[i]));
    bins = std::max(bins, values[i] + 1);
  }
  return bins;
}

}  // namespace

Tensor counts_of(const Tensor& x, std::int64_t bins) { return apply_constant(Bincount(bins), x); }

}  // namespace detail

using detail::OpId;

Tensor count_nonzero(const Tensor& x, const ReduceOptions& options) {
  const auto axes = detail::reduced_axes(OpId::count_nonzero, x.shape(), options.axes, options.keepdim);
  return detail::apply_constant(detail::CountNonzero(axes), x);
}

Tensor bincount(const Tensor& x, std::int64_t least) {
  if (!detail::IntegerTypes::contains(x.dtype())) {
    throw DtypeError(
        fmt::format("bincount: needs integers, got {}; convert with to(int64)", to_string(x.dtype())));
  }
  const Tensor wide = detail::cast(x, Dtype::int64);
  return detail::counts_of(wide, detail::bins_for(detail::array_of(wide), least));
}

Tensor histc(const Tensor& x, const HistcOptions& options) {
  const detail::Histc primitive(options);
  primitive.check();
  return detail::apply_constant(primitive, x);
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  return detail::apply_constant(detail::Searchsorted(right), sorted, values);
}

Unique unique(const Tensor& x) {
  detail::check_numeric(OpId::unique, detail::array_of(x));
  const auto [sorted, order] = sort(reshape(x.detach(), {-1}), {.axis = 0});
  detail::tell_reading(detail::array_of(sorted), "unique");
  const std::int64_t count = detail::count_different(detail::array_of(sorted));
  const std::array<const Tensor*, 2> inputs{&sorted, &order};
  std::vector<Tensor> parts = detail::apply_all(detail::UniqueOfSorted(count), inputs);
  return {parts[0], reshape(parts[1], x.shape()), parts[2]};
}

}  // namespace xtgrad::v1
