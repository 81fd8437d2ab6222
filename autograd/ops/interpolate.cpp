#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/kernels/resampling.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows_nd.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

Interpolation parse_interpolation(const std::string& name) {
  for (const auto mode : {Interpolation::nearest, Interpolation::nearest_exact, Interpolation::linear,
                          Interpolation::cubic, Interpolation::area}) {
    if (name == to_string(mode)) return mode;
  }
  throw ValueError(fmt::format("resample: no interpolation is called {}", name));
}

constexpr std::int64_t largest_side = std::numeric_limits<std::int32_t>::max();

/// A product with a sparse matrix along an axis, or with its transpose: so its rule is itself.
class Resample final : public PrimitiveOf<Resample, OpId::resample> {
 public:
  explicit Resample(std::size_t axis = 0, const Resampling& how = {}, bool is_adjoint = false)
      : axis_(axis), is_adjoint_(is_adjoint), how_(how) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("from", how_.from);
    a("to", how_.to);
    std::string mode = to_string(how_.mode);
    a("mode", mode);
    how_.mode = parse_interpolation(mode);
    a("align_corners", how_.align_corners, false);
    a("scale", how_.scale, 0);
    a("adjoint", is_adjoint_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    *out[0] = *in[0];
    out[0]->shape[axis_] = is_adjoint_ ? how_.from : how_.to;
  }
  void eval(Inputs in, Outputs out) const override {
    if (out[0]->numel() == 0) return;  // for which no weights need be found
    const AxisView view(in[0]->shape, axis_);
    const SparseRows weights = weights_of(how_);
    weigh_rows(is_adjoint_ ? transposed(weights, how_.from) : weights, *in[0], view, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    const Shape& places = is_adjoint_ ? in[0]->shape : out[0]->shape;
    const std::int64_t weights = how_.mode == Interpolation::linear  ? 2
                                 : how_.mode == Interpolation::cubic ? 4
                                 : how_.mode == Interpolation::area  ? (how_.from - 1) / how_.to + 1
                                                                     : 1;
    return 2 * weights * places.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_axis(name(), axis_, in[0]->shape);
    require_attribute(how_.from >= 1 && how_.from <= largest_side, name(), "from", "from 1 to 2^31 - 1",
                      how_.from);
    require_attribute(how_.to >= 1 && how_.to <= largest_side, name(), "to", "from 1 to 2^31 - 1", how_.to);
    require_attribute(how_.scale >= 0 && std::isfinite(how_.scale), name(), "scale",
                      "finite, and not below 0", how_.scale);
    const std::int64_t size = in[0]->shape[axis_];
    require_attribute(size == (is_adjoint_ ? how_.to : how_.from), name(), is_adjoint_ ? "to" : "from",
                      "the size of the axis", size);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, apply_any(Resample(axis_, how_, !is_adjoint_), std::array{&context.g()}));
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }

 private:
  std::size_t axis_;
  bool is_adjoint_;
  Resampling how_;
};

Tensor resampled(const Tensor& x, std::size_t axis, const Resampling& how) {
  return apply_any(Resample(axis, how), std::array{&x});
}

/// The number of elements that come of n at a scale.
std::int64_t scaled_size(OpId op, std::int64_t n, double scale) {
  const double size = std::floor(static_cast<double>(n) * scale);
  // Not of NaN, either.
  if (!(size >= 1 && size <= static_cast<double>(largest_side))) {
    throw ValueError(fmt::format("{}: the scale must leave from 1 to 2^31 - 1 elements: got {} of {}",
                                 to_string(op), scale, n));
  }
  return static_cast<std::int64_t>(size);
}

/// A scale that says where places are, and 0 where sizes alone do: windows share a side, and linear leaves
/// one whose size stays as it is, as PyTorch does.
double counting_scale(const Resampling& how, double scale) {
  const bool stays = how.mode == Interpolation::linear && how.from == how.to;
  return how.mode == Interpolation::area || stays ? 0 : scale;
}

void check_size(OpId op, std::int64_t size) {
  if (size >= 1 && size <= largest_side) return;
  throw ValueError(fmt::format("{}: size must be from 1 to 2^31 - 1, got {}", to_string(op), size));
}

void check_side(OpId op, const Tensor& x, std::size_t axis) {
  const std::int64_t n = x.shape()[axis];
  if (n >= 1 && n <= largest_side) return;
  throw ShapeError(fmt::format("{}: needs from 1 to 2^31 - 1 elements along axis {}: x is {}", to_string(op),
                               axis, to_string(x.shape())));
}

void check_corners(OpId op, Interpolation mode, bool align_corners) {
  if (!align_corners || mode == Interpolation::linear || mode == Interpolation::cubic) return;
  throw ValueError(
      fmt::format("{}: align_corners is of linear and cubic, got {}", to_string(op), to_string(mode)));
}

[[noreturn]] void throw_size_or_scale(OpId op) {
  throw ValueError(fmt::format("{}: needs a size or a scale, and not both", to_string(op)));
}

/// One number a direction.
template <class List>
std::vector<typename List::value_type> for_each_direction(const List& list, const char* option,
                                                          std::size_t directions) {
  if (list.size() == 1) return std::vector<typename List::value_type>(directions, *list.begin());
  if (list.size() == directions) return {list.begin(), list.end()};
  throw ValueError(fmt::format("interpolate: {} needs one number, or one for each of {} directions, got {}",
                               option, directions, list.size()));
}

std::vector<Resampling> resamplings(const Tensor& x, const InterpolateOptions& options) {
  constexpr OpId op = OpId::interpolate;
  const std::size_t directions = x.rank() - 2;
  if (options.size.empty() == options.scale.empty()) throw_size_or_scale(op);
  check_corners(op, options.mode, options.align_corners);
  std::vector<Resampling> all(directions,
                              Resampling{.mode = options.mode, .align_corners = options.align_corners});
  for (std::size_t d = 0; d < directions; ++d) {
    check_side(op, x, d + 2);
    all[d].from = x.shape()[d + 2];
  }
  if (options.scale.empty()) {
    const std::vector<std::int64_t> list(options.size.begin(), options.size.end());
    const auto sizes = for_each_direction(list, "size", directions);
    for (std::size_t d = 0; d < directions; ++d) {
      check_size(op, sizes[d]);
      all[d].to = sizes[d];
    }
    return all;
  }
  const auto scales = for_each_direction(options.scale, "scale", directions);
  for (std::size_t d = 0; d < directions; ++d) {
    all[d].to = scaled_size(op, all[d].from, scales[d]);
    all[d].scale = counting_scale(all[d], scales[d]);
  }
  return all;
}

}}  // namespace detail

using detail::OpId;

Tensor resample(const Tensor& x, const ResampleOptions& options) {
  constexpr OpId op = OpId::resample;
  const std::size_t axis = normalize_axis(to_string(op), options.axis, x.rank());
  detail::check_floating(op, detail::array_of(x));
  if (options.size.has_value() == options.scale.has_value()) detail::throw_size_or_scale(op);
  detail::check_corners(op, options.mode, options.align_corners);
  detail::check_side(op, x, axis);
  detail::Resampling how{
      .from = x.shape()[axis], .mode = options.mode, .align_corners = options.align_corners};
  if (options.size) {
    detail::check_size(op, *options.size);
    how.to = *options.size;
  } else {
    how.to = detail::scaled_size(op, how.from, *options.scale);
    how.scale = detail::counting_scale(how, *options.scale);
  }
  return detail::resampled(x, axis, how);
}

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  constexpr OpId op = OpId::interpolate;
  detail::check_floating(op, detail::array_of(x));
  if (x.rank() < 3 || x.rank() > 5) {
    throw ShapeError(fmt::format(
        "interpolate: x needs 3 to 5 dimensions [n, c, l], [n, c, h, w] or [n, c, d, h, w]: x is {}",
        to_string(x.shape())));
  }
  if (options.mode == Interpolation::cubic && x.rank() != 4) {
    throw ShapeError(
        fmt::format("interpolate: cubic is for images [n, c, h, w]: x is {}", to_string(x.shape())));
  }
  std::vector<detail::Resampling> all = detail::resamplings(x, options);
  // Directions that shrink first, the slowest before others, and those that grow last, the fastest before
  // others: rows of many elements are moved as a whole, and little is moved twice.
  Tensor y = x;
  bool is_resampled = false;
  const auto along = [&](std::size_t d) {
    if (all[d].from == all[d].to && all[d].scale == 0) return;  // places are the elements
    y = detail::resampled(y, d + 2, all[d]);
    is_resampled = true;
  };
  for (std::size_t d = 0; d < all.size(); ++d) {
    if (all[d].to < all[d].from) along(d);
  }
  for (std::size_t d = all.size(); d-- > 0;) {
    if (all[d].to >= all[d].from) along(d);
  }
  return is_resampled ? y : alias(x);
}

}  // namespace xtgrad::v1
