#include "xtgrad/autograd/ops/index.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/gather.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

class Gather final : public PrimitiveOf<Gather, OpId::gather> {
 public:
  explicit Gather(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_index_dtype(op, *in[1]);
    check_index_shape(op, in[0]->shape, axis_, in[1]->shape);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = in[1]->shape;
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(op, *in[1], {"x", axis_, in[0]->shape[axis_]});
    gather_elements(*in[0], axis_, *in[1], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_axis(name(), axis_, in[0]->shape);
  }

  void vjp(VjpContext& context) const override;

 private:
  std::size_t axis_;
};

/// Throws ShapeError unless the index is [n].
void check_flat_index(OpId op, const Spec& index) {
  check_index_dtype(op, index);
  if (index.shape.rank() == 1) return;
  throw ShapeError(fmt::format("{}: the index must be [n], it is {}", to_string(op), to_string(index.shape)));
}

class IndexSelect final : public PrimitiveOf<IndexSelect, OpId::index_select> {
 public:
  explicit IndexSelect(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_flat_index(op, *in[1]);
    *out[0] = *in[0];
    out[0]->shape[axis_] = in[1]->shape[0];
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(op, *in[1], {"x", axis_, in[0]->shape[axis_]});
    select_elements(*in[0], axis_, *in[1], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override;
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_axis(name(), axis_, in[0]->shape);
  }

  void vjp(VjpContext& context) const override;

 private:
  std::size_t axis_;
};

/// What is written over x, or over a copy of it.
void begin_with(const Array& x, Array& out) {
  if (out.buffer.get() == x.buffer.get()) return;
  std::memcpy(out.buffer.data(), x.buffer.data(), x.buffer.bytes());
}

/// x with a source added at the places that an index names: the adjoint of a lookup. Self offers
/// `check(x, index, source)`, `add(out, index, source)` and `look_up(g, index)`.
template <class Self, OpId Id>
class AddAtIndex : public PrimitiveOf<Self, Id> {
 public:
  explicit AddAtIndex(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 2) ? input_bit(1) : reads_nothing;
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(Id, *in[0]);
    self().check(*in[0], *in[1], *in[2]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(Id, *in[1], {"x", axis_, in[0]->shape[axis_]});
    begin_with(*in[0], *out[0]);
    self().add(*out[0], *in[1], *in[2]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b001; }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[2]->shape.numel(); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 3);
    require_axis(this->name(), axis_, in[0]->shape);
  }

  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, context.g());
    if (context.wanted(2)) context.set(2, self().look_up(context.g(), context.input(1)));
  }

 protected:
  ~AddAtIndex() = default;

  std::size_t axis_;

 private:
  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }
};

class ScatterAdd final : public AddAtIndex<ScatterAdd, OpId::scatter_add> {
 public:
  using AddAtIndex::AddAtIndex;

  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check(const Spec& x, const Spec& index, const Spec& source) const {
    if (source.dtype != x.dtype) {
      throw DtypeError(fmt::format("scatter_add: dtypes differ: x is {}, source is {}; convert one with to()",
                                   to_string(x.dtype), to_string(source.dtype)));
    }
    check_index_dtype(op, index);
    check_index_shape(op, x.shape, axis_, index.shape);
    if (!(source.shape == index.shape)) {
      throw ShapeError(
          fmt::format("scatter_add: source and index must have one shape: source is {}, index is {}",
                      to_string(source.shape), to_string(index.shape)));
    }
  }
  void add(Array& out, const Array& index, const Array& source) const {
    scatter_add_elements(out, axis_, index, source);
  }
  [[nodiscard]] Tensor look_up(const Tensor& g, const Tensor& index) const {
    return gather(g, static_cast<std::int64_t>(axis_), index);
  }
};

class IndexAdd final : public AddAtIndex<IndexAdd, OpId::index_add> {
 public:
  using AddAtIndex::AddAtIndex;

  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_at_entries(*this, ScatterAdd(axis_ + 1), axis_, context);
  }
  void check(const Spec& x, const Spec& index, const Spec& source) const {
    check_same_dtype(op, x, source, {"x", "source"});
    check_flat_index(op, index);
    Shape wanted = x.shape;
    wanted[axis_] = index.shape[0];
    if (!(source.shape == wanted)) {
      throw ShapeError(fmt::format(
          "index_add: source must be {}, x's shape with an entry of axis {} for each of the "
          "index: x is {}, the index is {}, source is {}",
          to_string(wanted), axis_, to_string(x.shape), to_string(index.shape), to_string(source.shape)));
    }
  }
  void add(Array& out, const Array& index, const Array& source) const {
    index_add_elements(out, axis_, index, source);
  }
  [[nodiscard]] Tensor look_up(const Tensor& g, const Tensor& index) const {
    return index_select(g, static_cast<std::int64_t>(axis_), index);
  }
};

/// Of the gradients of lookups that a sweep has kept to the end: `source` is added at places that differ, or
/// put there. It may have entries beyond those of the places.
template <bool Puts>
class AtPlaces final : public ConstantPrimitive<AtPlaces<Puts>> {
 public:
  AtPlaces() = default;
  explicit AtPlaces(std::size_t axis) : axis_(axis), is_trusted_(true) {}

  [[nodiscard]] std::string_view name() const override { return Puts ? "put_at_places" : "add_at_places"; }
  void describe(Attributes& a) override { a("axis", axis_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    if (!is_trusted_) check_index_range(OpId::index_add, *in[1], {"x", axis_, in[0]->shape[axis_]});
    begin_with(*in[0], *out[0]);
    (Puts ? put_at_places : add_at_places)(*out[0], axis_, *in[1], *in[2]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b001; }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return Puts ? 0 : in[2]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 3);
    const Shape &x = in[0]->shape, &source = in[2]->shape;
    require_axis(name(), axis_, x);
    require_floating(name(), in.first(1));
    check_flat_index(OpId::index_add, *in[1]);
    const std::int64_t entries = axis_ < source.rank() ? source[axis_] : 0;
    require_attribute(entries >= in[1]->shape[0], name(), "axis", "one that has an entry for each place",
                      static_cast<std::int64_t>(axis_));
    Shape wanted = x;
    wanted[axis_] = entries;
    require_spec(name(), "source", *in[2], {wanted, in[0]->dtype, {}});
  }

 private:
  std::size_t axis_ = 0;
  bool is_trusted_ = false;  // places come from a sweep, which has checked them
};

/// The rule of a lookup that reads an index: lookups in one table in a loop add to one sum.
template <class Adjoint>
void add_to_table(VjpContext& context, std::size_t axis, Lookup::Kind kind) {
  const Tensor index = context.input(1);
  const LookupTarget target = context.lookup_target(0, axis);
  if (target.may_defer) {
    context.defer(0, {.axis = axis, .places = index, .gradient = context.g(), .kind = kind});
    return;
  }
  if (target.sum != nullptr) {
    apply_onto(Adjoint(axis), *target.sum, index, context.g());
    return;
  }
  Tensor sum = zeros(context.shape(0), {.dtype = context.g().dtype()});
  apply_onto(Adjoint(axis), sum, index, context.g());
  context.set(0, std::move(sum));
}

/// Without an index of each example's own it is a step of one kernel: of the examples' tables beside each
/// other, or of one table, which all look up in.
bool IndexSelect::batch(BatchContext& context) const {
  const BatchInput &x = context.input(0), &index = context.input(1);
  if (example_rank(x) >= Shape::max_rank) return false;
  if (!index.is_batched) {
    context.set(0, apply(IndexSelect(axis_ + 1), x.tensor, index.tensor));
  } else if (!x.is_batched) {
    const Tensor entries = apply(*this, x.tensor, merged_into(index.tensor, 0));
    context.set(0, parted_from(entries, axis_, context.size()));
  } else {
    context.set(0,
                apply(Gather(axis_ + 1), x.tensor, index_of_elements(index.tensor, axis_, x.tensor.shape())));
  }
  return true;
}

void Gather::vjp(VjpContext& context) const {
  add_to_table<ScatterAdd>(context, axis_, Lookup::Kind::gather);
}

void IndexSelect::vjp(VjpContext& context) const {
  add_to_table<IndexAdd>(context, axis_, Lookup::Kind::index_select);
}

}  // namespace

void add_lookup(Tensor& sum, const Lookup& lookup, const Tensor& places, bool is_first) {
  switch (lookup.kind) {
    case Lookup::Kind::gather:
      apply_onto(ScatterAdd(lookup.axis), sum, places, lookup.gradient);
      break;
    case Lookup::Kind::index_select:
      apply_onto(IndexAdd(lookup.axis), sum, places, lookup.gradient);
      break;
    case Lookup::Kind::slice:
      if (is_first) {
        apply_onto(AtPlaces<true>(lookup.axis), sum, places, lookup.gradient);
      } else {
        apply_onto(AtPlaces<false>(lookup.axis), sum, places, lookup.gradient);
      }
      break;
  }
}

void add_placed(Tensor& sum, const PlacedGradient& gradient) {
  apply_onto(AtPlaces<false>(gradient.axis), sum, gradient.places, gradient.values);
}

}  // namespace detail

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const std::size_t dim = normalize_axis(to_string(detail::OpId::gather), axis, x.rank());
  return detail::apply(detail::Gather(dim), x, detail::widened(index));
}

Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const std::size_t dim = normalize_axis(to_string(detail::OpId::index_select), axis, x.rank());
  return detail::apply(detail::IndexSelect(dim), x, detail::widened(index));
}

Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(detail::OpId::index_add), axis, x.rank());
  return detail::apply(detail::IndexAdd(dim), x, detail::widened(index), source);
}

Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(detail::OpId::scatter_add), axis, x.rank());
  return detail::apply(detail::ScatterAdd(dim), x, detail::widened(index), source);
}

Tensor take(const Tensor& x, const Tensor& index) {
  const Tensor places = detail::widened(index);
  detail::check_index_dtype(detail::OpId::take, detail::array_of(places));
  const Tensor flat = detail::reshaped(x, {x.numel()});
  return reshape(index_select(flat, 0, detail::reshaped(places, {places.numel()})), places.shape());
}

Tensor take_along_axis(const Tensor& x, std::int64_t axis, const Tensor& index) {
  constexpr detail::OpId op = detail::OpId::take_along_axis;
  const std::size_t dim = normalize_axis(to_string(op), axis, x.rank());
  const Tensor places = detail::widened(index);
  detail::check_index_dtype(op, detail::array_of(places));
  if (places.rank() != x.rank()) {
    throw ShapeError(
        fmt::format("take_along_axis: the index must have as many dimensions as x: x is {}, the index is {}",
                    to_string(x.shape()), to_string(places.shape())));
  }
  Shape off_axis = x.shape(), of_index = places.shape();
  off_axis[dim] = of_index[dim] = 1;
  Shape of_x = detail::common_shape(op, off_axis, of_index);
  of_index = of_x;
  of_x[dim] = x.shape()[dim];
  of_index[dim] = places.shape()[dim];
  return gather(detail::stretched_to(x, of_x), static_cast<std::int64_t>(dim),
                detail::stretched_to(places, of_index));
}

}  // namespace xtgrad::v1
