#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/largest.h"
#include "xtgrad/autograd/kernels/order.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/selection.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

class Max final : public SelectionOfOne<Max, OpId::max> {
 public:
  using SelectionOfOne::SelectionOfOne;
  void eval(Inputs in, Outputs out) const override {
    find_largest(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

class Min final : public SelectionOfOne<Min, OpId::min> {
 public:
  using SelectionOfOne::SelectionOfOne;
  void eval(Inputs in, Outputs out) const override {
    find_smallest(*in[0], AxisView(in[0]->shape, axis_), *out[0], *out[1]);
  }
};

class Sort final : public Selection<Sort, OpId::sort> {
 public:
  explicit Sort(std::size_t axis = 0, bool descending = false) : Selection(axis), descending_(descending) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("descending", descending_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { infer_both(*in[0], in[0]->shape, out); }
  void eval(Inputs in, Outputs out) const override {
    const AxisView view(in[0]->shape, axis_);
    order_axis(*in[0], view, view.axis, descending_, *out[0], *out[1]);
  }

 private:
  [[nodiscard]] std::int64_t selected(std::int64_t size) const override { return size; }

  bool descending_;
};

class Topk final : public Selection<Topk, OpId::topk> {
 public:
  explicit Topk(std::size_t axis = 0, std::int64_t k = 0, bool largest = true)
      : Selection(axis), k_(k), largest_(largest) {}

  void describe(Attributes& a) override {
    a("k", k_);
    a("axis", axis_);
    a("largest", largest_, true);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    Shape shape = in[0]->shape;
    if (k_ < 0 || k_ > shape[axis_]) {
      throw ValueError(
          fmt::format("topk: k must be from 0 to the size of the axis: k is {}, axis {} of x has "
                      "size {}",
                      k_, axis_, shape[axis_]));
    }
    shape[axis_] = k_;
    infer_both(*in[0], shape, out);
  }
  void eval(Inputs in, Outputs out) const override {
    order_axis(*in[0], AxisView(in[0]->shape, axis_), k_, largest_, *out[0], *out[1]);
  }

 private:
  [[nodiscard]] std::int64_t selected(std::int64_t) const override { return k_; }

  std::int64_t k_;
  bool largest_;
};

}}  // namespace detail

using detail::OpId;

ValuesAndIndices max(const Tensor& x, std::int64_t axis, bool keepdim) {
  return detail::apply_selection(detail::Max(normalize_axis(to_string(OpId::max), axis, x.rank()), keepdim),
                                 x);
}

ValuesAndIndices min(const Tensor& x, std::int64_t axis, bool keepdim) {
  return detail::apply_selection(detail::Min(normalize_axis(to_string(OpId::min), axis, x.rank()), keepdim),
                                 x);
}

ValuesAndIndices sort(const Tensor& x, const SortOptions& options) {
  const std::size_t axis = normalize_axis(to_string(OpId::sort), options.axis, x.rank());
  return detail::apply_selection(detail::Sort(axis, options.descending), x);
}

ValuesAndIndices topk(const Tensor& x, std::int64_t k, const TopkOptions& options) {
  const std::size_t axis = normalize_axis(to_string(OpId::topk), options.axis, x.rank());
  return detail::apply_selection(detail::Topk(axis, k, options.largest), x);
}

}  // namespace xtgrad::v1
