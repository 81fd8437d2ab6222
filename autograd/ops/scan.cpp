#include "xtgrad/autograd/functions/scan.h"

#include <limits>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/kernels/levels/scan.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/selection.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// y moved on by one place along the axis, a 0 at the place that nothing comes to.
Tensor moved_on(const Tensor& y, std::size_t axis, bool reverse) {
  const std::int64_t n = y.shape()[axis];
  if (n == 0) return y;
  const auto dim = static_cast<std::int64_t>(axis);
  if (reverse) return pad(slice(y, {.axis = dim, .start = 1, .stop = n}), {.axis = dim, .high = 1});
  return pad(slice(y, {.axis = dim, .start = 0, .stop = n - 1}), {.axis = dim, .low = 1});
}

/// y = b + a y', where y' is the result at the place before, or with `lagged` b + a' y', a' the factor there:
/// what a scan's rule is made of. Its own rule is made of the other one in the other direction.
class LinearScan final : public DifferentiablePrimitive<LinearScan> {
 public:
  explicit LinearScan(std::size_t axis = 0, bool reverse = false, bool lagged = false)
      : axis_(axis), reverse_(reverse), lagged_(lagged) {}

  [[nodiscard]] std::string_view name() const override { return "linear_scan"; }
  void describe(Attributes& a) override {
    a("axis", axis_);
    a("reverse", reverse_, false);
    a("lagged", lagged_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    linear_scan_axis(*in[0], *in[1], AxisView(in[0]->shape, axis_), reverse_, lagged_, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    require_axis(name(), axis_, in[0]->shape);
    require_spec(name(), "b", *in[1], *in[0]);
  }

  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 0) ? input_bit(0) | output_bit : input_bit(0);
  }
  void vjp(VjpContext& context) const override {
    const Tensor factors = context.input(0);
    const Tensor carried = apply(LinearScan(axis_, !reverse_, !lagged_), factors, context.g());
    if (context.wanted(1)) context.set(1, carried);
    if (!context.wanted(0)) return;
    const Tensor y = context.output();
    context.set(0,
                lagged_ ? moved_on(carried, axis_, !reverse_) * y : carried * moved_on(y, axis_, reverse_));
  }

 private:
  std::size_t axis_;
  bool reverse_, lagged_;
};

Tensor linear_scan(const Tensor& factors, const Tensor& terms, std::size_t axis, bool reverse, bool lagged) {
  return apply(LinearScan(axis, reverse, lagged), factors, terms);
}

/// A sum or a product of what came so far.
template <class Self, OpId Id>
class Cumulative : public PrimitiveOf<Self, Id> {
 public:
  explicit Cumulative(std::size_t axis = 0, ScanOrder order = {}) : axis_(axis), order_(order) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("reverse", order_.reverse, false);
    a("exclusive", order_.exclusive, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(Id, *in[0]);
    *out[0] = *in[0];
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    require_axis(this->name(), axis_, in[0]->shape);
  }

 protected:
  ~Cumulative() = default;

  std::size_t axis_;
  ScanOrder order_;
};

class Cumsum final : public Cumulative<Cumsum, OpId::cumsum> {
 public:
  using Cumulative::Cumulative;
  void eval(Inputs in, Outputs out) const override {
    cumsum_axis(*in[0], AxisView(in[0]->shape, axis_), order_, *out[0]);
  }
  void vjp(VjpContext& context) const override {
    const ScanOrder back{.reverse = !order_.reverse, .exclusive = order_.exclusive};
    context.set(0, apply(Cumsum(axis_, back), context.g()));
  }
};

/// The derivative of the product at k in element i is the product of those before i, which no place k
/// changes, times that of those between i and k, which a linear scan sums up from behind.
class Cumprod final : public Cumulative<Cumprod, OpId::cumprod> {
 public:
  using Cumulative::Cumulative;
  [[nodiscard]] Reads reads(Wanted) const override {
    return order_.exclusive ? input_bit(0) | output_bit : input_bit(0);
  }
  void eval(Inputs in, Outputs out) const override {
    cumprod_axis(*in[0], AxisView(in[0]->shape, axis_), order_, *out[0]);
  }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    const bool back = !order_.reverse;
    if (order_.exclusive) {
      const Tensor behind = moved_on(linear_scan(x, context.g(), axis_, back, false), axis_, back);
      context.set(0, Tensor(context.output()) * behind);
      return;
    }
    const Tensor before = apply(Cumprod(axis_, {.reverse = order_.reverse, .exclusive = true}), x);
    context.set(0, before * linear_scan(x, context.g(), axis_, back, true));
  }
};

/// y at the next place in the order of the scan, its own at the last one.
Tensor next_along(const Tensor& y, std::size_t axis, bool reverse) {
  const std::int64_t n = y.shape()[axis], dim = static_cast<std::int64_t>(axis);
  if (reverse)
    return concat(
        {slice(y, {.axis = dim, .start = 0, .stop = 1}), slice(y, {.axis = dim, .start = 0, .stop = n - 1})},
        dim);
  return concat(
      {slice(y, {.axis = dim, .start = 1, .stop = n}), slice(y, {.axis = dim, .start = n - 1, .stop = n})},
      dim);
}

class Logcumsumexp final : public PrimitiveOf<Logcumsumexp, OpId::logcumsumexp> {
 public:
  explicit Logcumsumexp(std::size_t axis = 0, bool reverse = false) : axis_(axis), reverse_(reverse) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("reverse", reverse_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    logcumsumexp_axis(*in[0], AxisView(in[0]->shape, axis_), reverse_, *out[0]);
  }
  /// A difference, an exponential, a sum, a logarithm.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_axis(name(), axis_, in[0]->shape);
  }

  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }
  /// Of g e^(x - y) at all places behind, each exponential is a product of e^(y - the next y), from where it
  /// is to there: none is above 1, whatever x is.
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0), y = context.output();
    if (x.shape()[axis_] == 0) {
      context.set(0, context.g());
      return;
    }
    // Where all are -inf so far, differences from any number have the right exponential, which is 0.
    const Tensor some_y = where(y == -std::numeric_limits<double>::infinity(), 0, y);
    const Tensor shares = exp(y - next_along(some_y, axis_, reverse_));
    context.set(0, exp(x - some_y) * linear_scan(shares, context.g(), axis_, !reverse_, false));
  }

 private:
  std::size_t axis_;
  bool reverse_;
};

/// The best element so far.
template <class Self, OpId Id>
class Running : public Selection<Self, Id> {
 public:
  explicit Running(std::size_t axis = 0, bool reverse = false)
      : Selection<Self, Id>(axis), reverse_(reverse) {}

  void describe(Attributes& a) override {
    a("axis", this->axis_);
    a("reverse", reverse_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { this->infer_both(*in[0], in[0]->shape, out); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }

 protected:
  ~Running() = default;
  [[nodiscard]] std::int64_t selected(std::int64_t size) const override { return size; }

  bool reverse_;
};

class Cummax final : public Running<Cummax, OpId::cummax> {
 public:
  using Running::Running;
  void eval(Inputs in, Outputs out) const override {
    cummax_axis(*in[0], AxisView(in[0]->shape, axis_), reverse_, *out[0], *out[1]);
  }
};

class Cummin final : public Running<Cummin, OpId::cummin> {
 public:
  using Running::Running;
  void eval(Inputs in, Outputs out) const override {
    cummin_axis(*in[0], AxisView(in[0]->shape, axis_), reverse_, *out[0], *out[1]);
  }
};

std::size_t scanned_axis(OpId op, const Tensor& x, std::int64_t axis) {
  return normalize_axis(to_string(op), axis, x.rank());
}

}}  // namespace detail

using detail::OpId;

Tensor cumsum(const Tensor& x, const ScanOptions& options) {
  const std::size_t axis = detail::scanned_axis(OpId::cumsum, x, options.axis);
  return detail::apply(detail::Cumsum(axis, {options.reverse, options.exclusive}), x);
}

Tensor cumprod(const Tensor& x, const ScanOptions& options) {
  const std::size_t axis = detail::scanned_axis(OpId::cumprod, x, options.axis);
  return detail::apply(detail::Cumprod(axis, {options.reverse, options.exclusive}), x);
}

Tensor logcumsumexp(const Tensor& x, const RunningOptions& options) {
  const std::size_t axis = detail::scanned_axis(OpId::logcumsumexp, x, options.axis);
  return detail::apply(detail::Logcumsumexp(axis, options.reverse), x);
}

ValuesAndIndices cummax(const Tensor& x, const RunningOptions& options) {
  const std::size_t axis = detail::scanned_axis(OpId::cummax, x, options.axis);
  return detail::apply_selection(detail::Cummax(axis, options.reverse), x);
}

ValuesAndIndices cummin(const Tensor& x, const RunningOptions& options) {
  const std::size_t axis = detail::scanned_axis(OpId::cummin, x, options.axis);
  return detail::apply_selection(detail::Cummin(axis, options.reverse), x);
}

}  // namespace xtgrad::v1
