#include "xtgrad/autograd/functions/arrange.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/repeat_index.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Its own inverse, and so its own adjoint.
class Flip final : public PrimitiveOf<Flip, OpId::flip> {
 public:
  explicit Flip(const ReducedAxes& axes = {}) : axes_(axes) {}

  void describe(Attributes& a) override { axes_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    const Strides strides = row_major_strides(shape);
    StridedMove move;
    for (std::size_t d = 0; d < shape.rank(); ++d) {
      const bool is_reversed = has_axis(axes_.mask, d);
      move.add_dimension(shape[d], is_reversed ? -strides[d] : strides[d], strides[d]);
      if (is_reversed) move.from_offset += (shape[d] - 1) * strides[d];
    }
    copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    axes_.check_loaded(name(), in[0]->shape);
  }
  void vjp(VjpContext& context) const override { context.set(0, apply(*this, context.g())); }

 private:
  ReducedAxes axes_;
};

/// Element i of the result is element i - shift of x, counted around the axis.
class Roll final : public PrimitiveOf<Roll, OpId::roll> {
 public:
  /// A shift for each axis, from 0 to below its size.
  explicit Roll(const Dims& shifts = {}) : shifts_(shifts) {}

  void describe(Attributes& a) override { a("shifts", shifts_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    Strides wrapped{};  // of each axis: 1 for the part that comes in at the other end
    copy_parts(*in[0], 0, wrapped, *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    const Shape& shape = in[0]->shape;
    require_attribute(shifts_.size() == shape.rank(), name(), "shifts", "one for each axis",
                      static_cast<std::int64_t>(shifts_.size()));
    for (std::size_t d = 0; d < shape.rank(); ++d) {
      require_attribute(shifts_[d] == 0 || (shifts_[d] > 0 && shifts_[d] < shape[d]), name(), "shifts",
                        "from 0 to below the sizes", shifts_[d]);
    }
  }
  void vjp(VjpContext& context) const override {
    Dims back = shifts_;
    for (std::size_t d = 0; d < back.size(); ++d)
      back[d] = shifts_[d] == 0 ? 0 : context.g().shape()[d] - shifts_[d];
    context.set(0, apply(Roll(back), context.g()));
  }

 private:
  /// Both parts of the axes from `first` on, of those parts of the axes before that are given.
  void copy_parts(const Array& x, std::size_t first, Strides& wrapped, Array& out) const {
    while (first < shifts_.size() && shifts_[first] == 0) ++first;
    if (first == shifts_.size()) return copy_part(x, wrapped, out);
    for (const std::int64_t part : {0, 1}) {
      wrapped[first] = part;
      copy_parts(x, first + 1, wrapped, out);
    }
  }
  void copy_part(const Array& x, const Strides& wrapped, Array& out) const {
    const Strides strides = row_major_strides(x.shape);
    StridedMove move;
    for (std::size_t d = 0; d < shifts_.size(); ++d) {
      const std::int64_t stays = x.shape[d] - shifts_[d];
      move.add_dimension(wrapped[d] != 0 ? shifts_[d] : stays, strides[d], strides[d]);
      (wrapped[d] != 0 ? move.from_offset : move.to_offset) +=
          (wrapped[d] != 0 ? stays : shifts_[d]) * strides[d];
    }
    copy_strided(move, x, out);
  }

  Dims shifts_;
};

/// Which entries to take for entry i `counts[i]` times in a row: [count], the sum of the counts.
class RepeatIndex final : public ConstantPrimitive<RepeatIndex> {
 public:
  explicit RepeatIndex(std::int64_t count = 0) : count_(count) {}

  [[nodiscard]] std::string_view name() const override { return "repeat_index"; }
  void describe(Attributes& a) override { a("count", count_); }
  void infer(InputSpecs, OutputSpecs out) const override {
    out[0]->dtype = Dtype::int64;
    out[0]->shape = {count_};
  }
  void eval(Inputs in, Outputs out) const override {
    if (const std::int64_t sum = sum_of_counts(*in[0]); sum != count_)
      throw ValueError(fmt::format("repeat_index: the counts add up to {}, in place of {}", sum, count_));
    fill_repeat_index(*in[0], *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_dtype(name(), "counts", *in[0], Dtype::int64);
    require_attribute(count_ >= 0, name(), "count", "at least 0", count_);
  }

 private:
  std::int64_t count_;
};

void check_counts(OpId op, const Dims& counts) {
  for (const std::int64_t count : counts) {
    if (count >= 0) continue;
    throw ValueError(
        fmt::format("{}: the counts must not be negative, got {}", to_string(op), to_string(counts)));
  }
}

std::int64_t times(OpId op, std::int64_t size, std::int64_t count) {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(size, count, &product)) return product;
  throw ShapeError(
      fmt::format("{}: more than 2^63 - 1 elements: a size of {} times {}", to_string(op), size, count));
}

/// x of as many axes as there are counts, repeated along each. Three at a time: each takes two dimensions,
/// one of them stretched.
Tensor tiled(OpId op, const Tensor& x, Dims counts) {
  std::size_t repeated = 0;
  for (const std::int64_t count : counts) repeated += count != 1 ? 1 : 0;
  if (repeated > 3) {
    Dims behind = counts;
    std::size_t skipped = 0;
    for (std::size_t d = 0; d < counts.size(); ++d) {
      if (counts[d] == 1) continue;
      (skipped < repeated - 3 ? behind : counts)[d] = 1;
      ++skipped;
    }
    return tiled(op, tiled(op, x, behind), counts);
  }
  const Shape& shape = x.shape();
  Shape apart, stretched, result;
  std::int64_t run = 1;
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    result.push_back(times(op, shape[d], counts[d]));
    if (counts[d] != 1) {
      apart.push_back(run);
      apart.push_back(1);
      stretched.push_back(run);
      stretched.push_back(counts[d]);
      run = 1;
    }
    run *= shape[d];
  }
  apart.push_back(run);
  stretched.push_back(run);
  return reshaped(stretched_to(reshaped(x, apart), stretched), result);
}

Tensor tile_as(OpId op, const Tensor& x, const Dims& counts) {
  check_counts(op, counts);
  Shape shape;
  for (std::size_t d = x.rank(); d < counts.size(); ++d) shape.push_back(1);
  for (const std::int64_t size : x.shape()) shape.push_back(size);
  Dims all = shape;  // for its length
  bool is_all_there_is = true;
  for (std::size_t d = 0; d < all.size(); ++d) {
    const std::size_t lead = all.size() - counts.size();
    all[d] = d < lead ? 1 : counts[d - lead];
    is_all_there_is = is_all_there_is && all[d] == 1;
  }
  if (is_all_there_is) return reshape(x, shape);
  return tiled(op, reshaped(x, shape), all);
}

}}  // namespace detail

using detail::OpId;

Tensor flip(const Tensor& x, const Axes& axes) {
  const detail::ReducedAxes reversed = detail::reduced_axes(OpId::flip, x.shape(), axes, false);
  return reversed.mask == 0 || reversed.count(x.shape()) == 1 ? alias(x)
                                                              : detail::apply(detail::Flip(reversed), x);
}

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes) {
  if (shifts.size() != (axes.empty() ? 1 : axes.size())) {
    throw ValueError(
        fmt::format("roll: needs a shift for each axis, or one without axes: shifts are {}, axes are {}",
                    to_string(shifts), to_string(axes)));
  }
  if (axes.empty()) {
    if (x.rank() == 1) return roll(x, shifts, {0});
    const Tensor flat = detail::reshaped(x, {x.numel()});
    return reshape(roll(flat, shifts, {0}), x.shape());
  }
  Shape around;
  for (std::size_t d = 0; d < x.rank(); ++d) around.push_back(0);
  bool moves = false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = normalize_axis(to_string(OpId::roll), axes[i], x.rank());
    const std::int64_t size = x.shape()[axis];
    if (size == 0) continue;
    const std::int64_t shift = shifts[i] % size;
    around[axis] = (around[axis] + (shift < 0 ? shift + size : shift)) % size;
  }
  for (const std::int64_t shift : around) moves = moves || shift != 0;
  return moves && x.numel() > 0 ? detail::apply(detail::Roll(around), x) : alias(x);
}

Tensor tile(const Tensor& x, const Dims& counts) { return detail::tile_as(OpId::tile, x, counts); }

Tensor repeat(const Tensor& x, const Dims& counts) {
  if (counts.size() < x.rank()) {
    throw ShapeError(fmt::format("repeat: needs a count for each axis: x is {}, counts are {}",
                                 to_string(x.shape()), to_string(counts)));
  }
  return detail::tile_as(OpId::repeat, x, counts);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t count, std::int64_t axis) {
  constexpr OpId op = OpId::repeat_interleave;
  const std::size_t dim = normalize_axis(to_string(op), axis, x.rank());
  if (count < 0)
    throw ValueError(fmt::format("repeat_interleave: the count must not be negative, got {}", count));
  if (count == 1) return alias(x);
  const detail::AxisView view(x.shape(), dim);
  Shape result = x.shape();
  result[dim] = detail::times(op, view.axis, count);
  const std::int64_t entries = view.outer * view.axis;
  const Tensor apart = detail::reshaped(x, {entries, 1, view.inner});
  return detail::reshaped(broadcast_to(apart, {entries, count, view.inner}), result);
}

Tensor repeat_interleave(const Tensor& x, const Tensor& counts, std::int64_t axis) {
  const std::size_t dim = normalize_axis(to_string(OpId::repeat_interleave), axis, x.rank());
  const Tensor wide = counts.dtype() == int32 ? counts.to(int64) : counts;
  if (wide.dtype() != int64) {
    throw DtypeError(
        fmt::format("repeat_interleave: the counts must be int64 or int32, got {}; convert with to(int64)",
                    to_string(counts.dtype())));
  }
  if (!(counts.shape() == Shape{x.shape()[dim]})) {
    throw ShapeError(fmt::format(
        "repeat_interleave: needs a count for each entry: axis {} of x has size {}, counts are {}", dim,
        x.shape()[dim], to_string(counts.shape())));
  }
  const detail::Array& array = detail::array_of(wide);
  detail::tell_reading(array, "repeat_interleave");
  const std::int64_t total = detail::sum_of_counts(array);
  return index_select(x, static_cast<std::int64_t>(dim),
                      detail::apply_constant(detail::RepeatIndex(total), wide));
}

std::vector<Tensor> meshgrid(std::span<const Tensor> vectors, GridOrder order) {
  if (vectors.size() > Shape::max_rank) {
    throw ShapeError(fmt::format("meshgrid: at most {} vectors, for as many axes, got {}", Shape::max_rank,
                                 vectors.size()));
  }
  const auto axis_of = [&](std::size_t k) {
    return order == GridOrder::xy && vectors.size() > 1 && k < 2 ? 1 - k : k;
  };
  Shape ones;
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    if (vectors[k].rank() != 1) {
      throw ShapeError(
          fmt::format("meshgrid: needs vectors: tensor {} is {}", k, to_string(vectors[k].shape())));
    }
    detail::check_same_dtype(OpId::meshgrid, detail::array_of(vectors[0]), detail::array_of(vectors[k]),
                             {"tensor 0", "another"});
    ones.push_back(1);
  }
  Shape grid = ones;
  for (std::size_t k = 0; k < vectors.size(); ++k) grid[axis_of(k)] = vectors[k].size(0);
  std::vector<Tensor> coordinates;
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    Shape along = ones;
    along[axis_of(k)] = vectors[k].size(0);
    coordinates.push_back(broadcast_to(detail::reshaped(vectors[k], along), grid));
  }
  return coordinates;
}

std::vector<Tensor> meshgrid(std::initializer_list<Tensor> vectors, GridOrder order) {
  return meshgrid(std::span(vectors.begin(), vectors.size()), order);
}

}  // namespace xtgrad::v1
