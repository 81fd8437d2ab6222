#include "xtgrad/autograd/functions/scatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/scatter.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slice.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

void check_operands(OpId op, const Spec& x, std::size_t axis, const Spec& index, const Spec& source) {
  check_same_dtype(op, x, source, {"x", "source"});
  check_index_dtype(op, index);
  check_index_shape(op, x.shape, axis, index.shape);
  if (source.shape == index.shape) return;
  throw ShapeError(fmt::format("{}: source and index must have one shape: source is {}, index is {}",
                               to_string(op), to_string(source.shape), to_string(index.shape)));
}

/// Which entries of an index are the last along the axis that name their place: written there, their numbers
/// are what is found.
Tensor are_last(const Tensor& index, std::size_t axis, const Shape& x) {
  Shape along = index.shape();
  for (std::size_t d = 0; d < along.rank(); ++d) along[d] = d == axis ? along[d] : 1;
  const Tensor numbers = stretched_to(reshaped(arange(along[axis]), along), index.shape());
  const auto dim = static_cast<std::int64_t>(axis);
  const Tensor last = scatter(zeros(x, {.dtype = Dtype::int64}), dim, index, numbers);
  return equal(gather(last, dim, index), numbers);
}

/// x, an index and a source for the places that it names. Self offers `write(out, index, source)`.
template <class Self, OpId Id>
class AtIndex : public PrimitiveOf<Self, Id> {
 public:
  explicit AtIndex(std::size_t axis = 0) : axis_(axis) {}

  static void check(const Spec& x, std::size_t axis, const Spec& index, const Spec& source) {
    check_operands(Id, x, axis, index, source);
  }

  void describe(Attributes& a) override { a("axis", axis_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    Self::check(*in[0], axis_, *in[1], *in[2]);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    check_index_range(Id, *in[1], {"x", axis_, in[0]->shape[axis_]});
    if (out[0]->buffer.get() != in[0]->buffer.get())
      std::memcpy(out[0]->buffer.data(), in[0]->buffer.data(), in[0]->buffer.bytes());
    static_cast<const Self&>(*this).write(*out[0], *in[1], *in[2]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b001; }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 3);
    require_axis(this->name(), axis_, in[0]->shape);
  }

 protected:
  ~AtIndex() = default;

  [[nodiscard]] std::int64_t axis() const { return static_cast<std::int64_t>(axis_); }

  std::size_t axis_;
};

class Scatter final : public AtIndex<Scatter, OpId::scatter> {
 public:
  using AtIndex::AtIndex;

  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }
  void write(Array& out, const Array& index, const Array& source) const {
    scatter_elements(out, axis_, index, source);
  }
  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    const Tensor index = context.input(1);
    if (context.wanted(0)) context.set(0, apply(*this, g, index, zeros(index.shape(), {.dtype = g.dtype()})));
    if (!context.wanted(2)) return;
    const Tensor read = gather(g, axis(), index);
    // An index of no entries may still have an axis that no memory would hold the numbers of.
    const bool all_stay = index.shape()[axis_] < 2 || index.numel() == 0;
    context.set(2, all_stay ? read : where(are_last(index, axis_, g.shape()), read, 0));
  }
};

/// The same for entries of x as a whole.
class IndexCopy final : public AtIndex<IndexCopy, OpId::index_copy> {
 public:
  using AtIndex::AtIndex;

  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_at_entries(*this, Scatter(axis_ + 1), axis_, context);
  }
  static void check(const Spec& x, std::size_t axis, const Spec& index, const Spec& source) {
    check_same_dtype(op, x, source, {"x", "source"});
    check_index_dtype(op, index);
    if (index.shape.rank() != 1) {
      throw ShapeError(fmt::format("index_copy: the index must be [n], it is {}", to_string(index.shape)));
    }
    Shape wanted = x.shape;
    wanted[axis] = index.shape[0];
    if (source.shape == wanted) return;
    throw ShapeError(fmt::format(
        "index_copy: source must be {}, x's shape with an entry of axis {} for each of the index: x is {}, "
        "the "
        "index is {}, source is {}",
        to_string(wanted), axis, to_string(x.shape), to_string(index.shape), to_string(source.shape)));
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }
  void write(Array& out, const Array& index, const Array& source) const {
    scatter_rows(out, axis_, index, source);
  }
  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    const Tensor index = context.input(1);
    Shape entries = g.shape(), along = g.shape();
    for (std::size_t d = 0; d < along.rank(); ++d) along[d] = 1;
    const std::int64_t count = entries[axis_] = along[axis_] = index.numel();
    if (context.wanted(0)) context.set(0, apply(*this, g, index, zeros(entries, {.dtype = g.dtype()})));
    if (!context.wanted(2)) return;
    const Tensor read = index_select(g, axis(), index);
    if (count < 2 || read.numel() == 0) return context.set(2, read);
    context.set(2, where(reshaped(are_last(index, 0, {g.shape()[axis_]}), along), read, 0));
  }
};

/// The largest or the smallest of what is there and the entries.
template <OpId Id>
class ScatterExtreme final : public AtIndex<ScatterExtreme<Id>, Id> {
 public:
  using AtIndex<ScatterExtreme, Id>::AtIndex;

  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  [[nodiscard]] Reads reads(Wanted) const override {
    return input_bit(0) | input_bit(1) | input_bit(2) | output_bit;
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(Id, *in[0]);
    AtIndex<ScatterExtreme, Id>::infer(in, out);
  }
  void write(Array& out, const Array& index, const Array& source) const {
    scatter_extremes(out, this->axis_, index, source,
                     Id == OpId::scatter_max ? Extreme::largest : Extreme::smallest);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[2]->shape.numel(); }

  // Who ties is piecewise constant: to the rule's own derivatives all that it reads are constants.
  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    const Tensor index = context.input(1);
    const Tensor y = make_constant(context.output().array());
    const Tensor x_wins = winners(make_constant(context.input(0).array()), y);
    const Tensor source_wins =
        winners(make_constant(context.input(2).array()), gather(y, this->axis(), index));
    // 0 where none is the largest: there the cotangent goes to nobody.
    const Tensor ties = scatter_add(x_wins, this->axis(), index, source_wins);
    const Tensor share = g / maximum(ties, 1);
    if (context.wanted(0)) context.set(0, where(x_wins > 0, share, 0));
    if (context.wanted(2)) context.set(2, where(source_wins > 0, gather(share, this->axis(), index), 0));
  }

 private:
  /// 1 for those that are the one chosen; where that is NaN, for each NaN.
  static Tensor winners(const Tensor& x, const Tensor& chosen) {
    return where(x == chosen, 1, (x != x).to(x.dtype()));
  }
};

/// The most entries that are equal, of a sorted row.
std::int64_t longest_run(std::span<const std::int64_t> sorted) {
  std::int64_t longest = 0, run = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

/// Products of the entries that name each place, 1 where there are none: entries in the order of their places
/// are multiplied with the one before, then with the one two before, four before, ... if that is of the same
/// place. The last of each place then has the product of all. Made of products of two, so that derivatives of
/// every order are right where factors are 0.
Tensor products_at(const Tensor& places, const Tensor& source, std::int64_t size) {
  const auto [sorted, order] = sort(places);
  Tensor factors = index_select(source, 0, order);
  const std::int64_t n = places.numel();
  const Array& in_order = array_of(sorted);
  // A list that is run for other places needs steps for as many as there can be; those not needed multiply by
  // 1.
  const std::int64_t most =
      is_listed_for_others() ? n : longest_run({in_order.data<std::int64_t>(), static_cast<std::size_t>(n)});
  for (std::int64_t apart = 1; apart < most; apart *= 2) {
    const auto first = [&](const Tensor& of) { return sliced(of, {.stop = n - apart}); };
    const auto rest = [&](const Tensor& of) { return sliced(of, {.start = apart}); };
    const Tensor is_same = equal(first(sorted), rest(sorted));
    const Tensor multiplied = rest(factors) * where(is_same, first(factors), 1);
    factors = concat({sliced(factors, {.stop = apart}), multiplied});
  }
  return scatter(ones({size}, {.dtype = source.dtype()}), 0, sorted, factors);
}

}}  // namespace detail

using detail::OpId;

Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(OpId::scatter), axis, x.rank());
  return detail::apply(detail::Scatter(dim), x, detail::widened(index), source);
}

Tensor scatter_mul(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  constexpr OpId op = OpId::scatter_mul;
  const std::size_t dim = normalize_axis(to_string(op), axis, x.rank());
  const Tensor wide = detail::widened(index);
  detail::check_numeric(op, detail::array_of(x));
  detail::check_operands(op, detail::array_of(x), dim, detail::array_of(wide), detail::array_of(source));
  detail::check_index_range(op, detail::array_of(wide), {"x", dim, x.shape()[dim]});
  const Tensor numbers = detail::reshaped(arange(x.numel()), x.shape());
  const Tensor places =
      detail::reshaped(gather(numbers, static_cast<std::int64_t>(dim), wide), {wide.numel()});
  const Tensor factors = detail::reshaped(source, {source.numel()});
  return x * detail::reshaped(detail::products_at(places, factors, x.numel()), x.shape());
}

Tensor scatter_max(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(OpId::scatter_max), axis, x.rank());
  return detail::apply(detail::ScatterExtreme<OpId::scatter_max>(dim), x, detail::widened(index), source);
}

Tensor scatter_min(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(OpId::scatter_min), axis, x.rank());
  return detail::apply(detail::ScatterExtreme<OpId::scatter_min>(dim), x, detail::widened(index), source);
}

Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const std::size_t dim = normalize_axis(to_string(OpId::index_copy), axis, x.rank());
  return detail::apply(detail::IndexCopy(dim), x, detail::widened(index), source);
}

}  // namespace xtgrad::v1
