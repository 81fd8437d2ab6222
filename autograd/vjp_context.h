#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {

class XTGRAD_LOCAL CotangentSums;
struct PartCotangents;
struct Lookup;

/// Where an edge of the graph leads a sweep to: to the place of a cotangent, or nowhere, and then rules do no
/// work for it.
using Way = std::uint32_t;
inline constexpr Way no_way = ~Way{0};

/// What a lookup's rule adds its gradient to.
struct LookupTarget {
  Tensor* sum;     // null where there is nothing yet
  bool may_defer;  // the sweep may keep it for the end instead
};

}  // namespace detail

/// A value that a rule reads. It becomes a Tensor, a node of the graph, where one is asked for; a kernel
/// takes the array as it is, without touching a count.
class SavedValue {
 public:
  SavedValue(detail::NodeCounts& node, const Array& array) : node_(&node), array_(&array) {}
  operator Tensor() const {  // NOLINT(google-explicit-constructor): it is a tensor
    if (node_->values.increment() == 0) node_->refs.increment();
    return Tensor::adopt(node_);
  }
  [[nodiscard]] const Array& array() const { return *array_; }
  [[nodiscard]] bool requires_grad() const;

 private:
  detail::NodeCounts* node_;
  const Array* array_;
};

/// What a rule sees: the cotangent of the output, the values it said it reads, and a place for each gradient.
class VjpContext {
 public:
  /// For the library alone. `ways`: one for each input, or null if every input that requires a gradient gets
  /// one.
  VjpContext(detail::NodeCounts& node, Tensor& cotangent, std::span<Tensor> gradients,
             const detail::Way* ways, detail::CotangentSums* sums = nullptr,
             const detail::PartCotangents* parts = nullptr)
      : cotangent_(cotangent), node_(node), gradients_(gradients), ways_(ways), sums_(sums), parts_(parts) {}

  /// Cotangent of the output, of its shape and dtype; an empty handle where there are several outputs.
  [[nodiscard]] const Tensor& g() const { return cotangent_; }
  /// The same for its last use in the rule: where nobody else sees its elements, the gradient may take them
  /// over.
  [[nodiscard]] Tensor take_g() { return std::move(cotangent_); }
  /// The same for output k of a primitive that has several: an empty handle where no gradient reaches it.
  [[nodiscard]] const Tensor& g(std::size_t k) const;
  /// True if input i wants a gradient; a rule does no work for the others.
  [[nodiscard]] bool wanted(std::size_t i) const;
  /// Value of input i, as a node of the graph; InternalError unless `reads` named it.
  [[nodiscard]] SavedValue input(std::size_t i) const;
  /// Value of the output; InternalError unless `reads` named it.
  [[nodiscard]] SavedValue output() const;
  /// Value of output k of a primitive that has several, as a node of the graph; InternalError unless
  /// `reads_outputs` named it. It is the caller's own node while that lives, so derivatives in it have the
  /// rule's share.
  [[nodiscard]] Tensor output(std::size_t k) const;
  /// An array that `eval` made beside the outputs, for the rule; InternalError if it did not. A constant.
  [[nodiscard]] const Array& auxiliary(std::size_t i = 0) const;
  /// True if nothing will read auxiliary i after this rule: the last step of the rule may write its result
  /// over it, if what comes behind cannot fail. Never while somebody watches the rule.
  [[nodiscard]] bool may_spend(std::size_t i) const;
  /// Shape of an input that wants a gradient; known even where its value is not.
  [[nodiscard]] const Shape& shape(std::size_t i) const;
  [[nodiscard]] Dtype dtype(std::size_t i) const;
  [[nodiscard]] std::size_t inputs() const { return gradients_.size(); }

  /// The gradient of input i: of exactly its shape and dtype. Left unset, the input gets none. InternalError,
  /// as for all that names an input, if there is no such input.
  void set(std::size_t i, Tensor gradient) {
    if (i >= gradients_.size()) [[unlikely]]
      throw_no_input(i);
    gradients_[i] = std::move(gradient);
  }

  /// The sum of what input i has got so far in this sweep, for a rule whose gradient is mostly zeros: instead
  /// of setting one it adds the rest of it here. Null where there is nothing yet, or none is wanted.
  [[nodiscard]] Tensor* sum(std::size_t i) const;
  /// Adds to a sum, in place where nobody else sees it.
  void add(Tensor& sum, Tensor term) const;

  /// For the library's lookups along an axis of input i, in the place of `sum`. Where the sweep can keep g
  /// (of parts: those that came) as it is, to add it in the end to a leaf's gradient at the places that were
  /// read, the rule calls `defer` and sets nothing.
  [[nodiscard]] detail::LookupTarget lookup_target(std::size_t i, std::size_t axis) const;
  void defer(std::size_t i, detail::Lookup&& lookup) const;

 private:
  [[noreturn]] void throw_no_input(std::size_t i) const;

  Tensor& cotangent_;
  detail::NodeCounts& node_;
  std::span<Tensor> gradients_;
  const detail::Way* ways_;
  detail::CotangentSums* sums_;
  const detail::PartCotangents* parts_;  // null for one output
};

}}  // namespace xtgrad::v1
