#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/rank.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/merged_axes.h"
#include "xtgrad/autograd/ops/selection.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Median final : public SelectionOfOne<Median, OpId::median> {
 public:
  using SelectionOfOne::SelectionOfOne;
  void eval(Inputs in, Outputs out) const override {
    median_axis(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

class MostFrequent final : public SelectionOfOne<MostFrequent, OpId::mode> {
 public:
  using SelectionOfOne::SelectionOfOne;
  void eval(Inputs in, Outputs out) const override {
    mode_axis(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

/// Quantiles of rows: [..., n] to [..., 1].
class RowQuantiles {
 public:
  explicit RowQuantiles(const Tensor& rows)
      : axis_(static_cast<std::int64_t>(rows.rank()) - 1),
        last_(rows.shape().back() - 1),
        sorted_(sort(rows).values),
        largest_(entry(last_)),
        is_nan_(largest_ != largest_) {}  // which sort puts last

  [[nodiscard]] Tensor at(double q) const {
    const auto last = static_cast<double>(last_);
    const double below_place = std::floor(q * last);
    // With the digits that the product has lost, unless it was rounded up to a place.
    const double rest = std::max(0.0, std::fma(q, last, -below_place));
    const auto below = static_cast<std::int64_t>(below_place);
    // Nothing of a neighbour that has no share: it may be infinite.
    const Tensor value = rest == 0 ? entry(below) : entry(below) * (1 - rest) + entry(below + 1) * rest;
    return where(is_nan_, largest_, value);
  }

 private:
  [[nodiscard]] Tensor entry(std::int64_t place) const {
    return slice(sorted_, {.axis = axis_, .start = place, .stop = place + 1});
  }

  std::int64_t axis_, last_;
  Tensor sorted_, largest_, is_nan_;
};

/// For each q, of the result's shape.
std::vector<Tensor> quantiles(const Tensor& x, const std::vector<double>& shares,
                              const ReduceOptions& options) {
  check_floating(OpId::quantile, array_of(x));
  for (const double q : shares) {
    if (!(q >= 0 && q <= 1)) throw ValueError(fmt::format("quantile: q must be from 0 to 1: got {}", q));
  }
  const ReducedAxes axes = reduced_axes(OpId::quantile, x.shape(), options.axes, options.keepdim);
  const Shape shape = axes.result(x.shape());
  if (shape.numel() == 0) return std::vector<Tensor>(shares.size(), sum(x, options));  // of no elements
  if (x.numel() == 0) {
    throw ShapeError(fmt::format("quantile: no elements to choose from: x is {}, axes={}{}",
                                 to_string(x.shape()), to_string(axes.dims()),
                                 axes.keepdim ? ", keepdim" : ""));
  }
  const RowQuantiles rows(with_merged_axes(x, axes.mask));
  std::vector<Tensor> all;
  for (const double q : shares) all.push_back(reshaped(rows.at(q), shape));
  return all;
}

}}  // namespace detail

using detail::OpId;

ValuesAndIndices median(const Tensor& x, std::int64_t axis, bool keepdim) {
  const std::size_t dim = normalize_axis(to_string(OpId::median), axis, x.rank());
  return detail::apply_selection(detail::Median(dim, keepdim), x);
}

ValuesAndIndices mode(const Tensor& x, std::int64_t axis, bool keepdim) {
  const std::size_t dim = normalize_axis(to_string(OpId::mode), axis, x.rank());
  return detail::apply_selection(detail::MostFrequent(dim, keepdim), x);
}

Tensor quantile(const Tensor& x, double q, const ReduceOptions& options) {
  return detail::quantiles(x, {q}, options)[0];
}

Tensor quantile(const Tensor& x, const std::vector<double>& q, const ReduceOptions& options) {
  if (q.empty()) throw ValueError("quantile: needs at least one q");
  return stack(detail::quantiles(x, q, options));
}

}  // namespace xtgrad::v1
