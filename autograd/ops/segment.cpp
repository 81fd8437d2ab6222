#include "xtgrad/autograd/functions/segment.h"

#include <fmt/format.h>

#include <cstring>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/gather.h"
#include "xtgrad/autograd/kernels/segment.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/counting.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

void check_segments(OpId op, const Spec& x, const Spec& ids, std::int64_t segments) {
  check_index_dtype(op, ids);
  if (segments < 0)
    throw ValueError(
        fmt::format("{}: the number of segments must be at least 0: got {}", to_string(op), segments));
  if (x.shape.rank() > 0 && ids.shape.rank() == 1 && ids.shape[0] == x.shape[0]) return;
  throw ShapeError(
      fmt::format("{}: ids must be [n], an id for each of the n entries of x: x is {}, ids are {}",
                  to_string(op), to_string(x.shape), to_string(ids.shape)));
}

/// Inputs: x and the ids.
template <class Self, OpId Id>
class Segment : public PrimitiveOf<Self, Id> {
 public:
  explicit Segment(std::int64_t segments = 0) : segments_(segments) {}

  void describe(Attributes& a) override { a("segments", segments_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(Id, *in[0]);
    check_segments(Id, *in[0], *in[1], segments_);
    *out[0] = *in[0];
    out[0]->shape[0] = segments_;
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(Id, *in[1], {"the result", 0, segments_});
    if (out[0]->numel() != 0) Self::reduce(*in[0], *in[1], *out[0]);
  }
  /// With ids of its own an example's segments are behind those of the one before; sums are an addition to
  /// zeros, whose kernel meets each example's terms in their own order.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const BatchInput &x = context.input(0), &ids = context.input(1);
    const Tensor all = ids.is_batched ? repeated(x, context.size()) : x.tensor;
    Shape shape = all.shape();
    shape[1] = segments_;
    if (ids.is_batched && Id == OpId::segment_sum) {
      check_index_range(Id, array_of(ids.tensor), {"the result", 0, segments_});
      const Tensor places = index_of_elements(ids.tensor, 0, all.shape());
      context.set(0, scatter_add(zeros(shape, {.dtype = all.dtype()}), 1, places, all));
      return true;
    }
    if (ids.is_batched) {
      const Tensor places = ids_across(ids.tensor, Id, segments_);
      const Self wide(segments_ * context.size());
      context.set(0, parted_from(apply(wide, merged_into(all, 0), places), 0, context.size()));
      return true;
    }
    // As columns of one table.
    std::int64_t width = 1;
    for (std::size_t d = 2; d < shape.rank(); ++d) width *= shape[d];
    const Tensor columns = merged_into(reshaped(all, {context.size(), all.size(1), width}), 1);
    const Tensor y = apply(static_cast<const Self&>(*this), columns, ids.tensor);
    context.set(0, reshaped(parted_from(y, 1, context.size()), shape));
    return true;
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 2); }

 protected:
  ~Segment() = default;

  std::int64_t segments_;
};

class SegmentSum final : public Segment<SegmentSum, OpId::segment_sum> {
 public:
  using Segment::Segment;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }
  static void reduce(const Array& x, const Array& ids, Array& out) {
    std::memset(out.buffer.data(), 0, out.buffer.bytes());
    index_add_elements(out, 0, ids, x);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, index_select(context.g(), 0, context.input(1)));
  }
};

template <class Self, OpId Id>
class SegmentExtremum : public Segment<Self, Id> {
 public:
  using Segment<Self, Id>::Segment;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | output_bit; }

  // Who ties is piecewise constant: to the rule's own derivatives x and y are constants.
  void vjp(VjpContext& context) const override {
    const Tensor x = make_constant(context.input(0).array());
    const Tensor ids = context.input(1);
    const Tensor best = index_select(make_constant(context.output().array()), 0, ids);
    const Tensor winners = cast(x == best, x.dtype()) + cast(x != x, x.dtype());  // NaN equals nothing
    // Where no entry is, nothing is divided by 0.
    const Tensor ties = maximum(apply(SegmentSum(this->segments_), winners, ids), 1);
    context.set(0, winners * index_select(context.g() / ties, 0, ids));
  }

 protected:
  ~SegmentExtremum() = default;
};

class SegmentMax final : public SegmentExtremum<SegmentMax, OpId::segment_max> {
 public:
  using SegmentExtremum::SegmentExtremum;
  static void reduce(const Array& x, const Array& ids, Array& out) { segment_largest(x, ids, out); }
};

class SegmentMin final : public SegmentExtremum<SegmentMin, OpId::segment_min> {
 public:
  using SegmentExtremum::SegmentExtremum;
  static void reduce(const Array& x, const Array& ids, Array& out) { segment_smallest(x, ids, out); }
};

/// Kernels read int64.
Tensor wide(const Tensor& ids) { return ids.dtype() == Dtype::int32 ? ids.to(Dtype::int64) : ids; }

}}  // namespace detail

Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t segments) {
  return detail::apply(detail::SegmentSum(segments), x, detail::wide(ids));
}

Tensor segment_mean(const Tensor& x, const Tensor& ids, std::int64_t segments) {
  constexpr detail::OpId op = detail::OpId::segment_mean;
  const Tensor wide = detail::wide(ids);
  detail::check_floating(op, detail::array_of(x));
  detail::check_segments(op, detail::array_of(x), detail::array_of(wide), segments);
  const Tensor sums = segment_sum(x, wide, segments);
  Shape each{segments};
  while (each.rank() < x.rank()) each.push_back(1);
  const Tensor counts = maximum(detail::cast(detail::counts_of(wide, segments), x.dtype()), 1);
  return sums / detail::reshaped(counts, each);
}

Tensor segment_max(const Tensor& x, const Tensor& ids, std::int64_t segments) {
  return detail::apply(detail::SegmentMax(segments), x, detail::wide(ids));
}

Tensor segment_min(const Tensor& x, const Tensor& ids, std::int64_t segments) {
  return detail::apply(detail::SegmentMin(segments), x, detail::wide(ids));
}

}  // namespace xtgrad::v1
