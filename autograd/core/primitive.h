#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/op_id.h"

namespace xtgrad::inline v1::detail {

/// Which values a rule reads, given which inputs want a gradient: bit i for input i, and `output_bit`.
/// Whatever is not named here is released as soon as no handle holds it.
using Reads = std::uint32_t;
inline constexpr Reads output_bit = Reads{1} << 31;
inline constexpr Reads reads_nothing = 0;
constexpr Reads input_bit(int i) { return Reads{1} << i; }
/// Bit i: input i wants a gradient.
using Wanted = std::uint32_t;
constexpr bool is_wanted(Wanted wanted, int i) { return (wanted >> i & 1U) != 0; }

/// Where an edge of the graph leads a sweep to: to the place of a cotangent, or nowhere, and then rules do no
/// work for it.
using Way = std::uint32_t;
inline constexpr Way no_way = ~Way{0};

/// A value that a rule reads. It becomes a Tensor, a node of the graph, where one is asked for; a kernel
/// takes the array as it is, without touching a count.
class SavedValue {
 public:
  explicit SavedValue(Node& node) : node_(&node) {}
  operator Tensor() const {
    return handle_on(*node_);
  }  // NOLINT(google-explicit-constructor): it is a tensor
  [[nodiscard]] const Array& array() const { return node_->array; }
  [[nodiscard]] bool requires_grad() const { return node_->requires_grad(); }

 private:
  Node* node_;
};

inline const Array& array_of(const SavedValue& value) { return value.array(); }

/// What a rule sees: the cotangent of the output, the values it said it reads, and a place for each gradient.
class VjpContext {
 public:
  /// `ways`: one for each input, or null if every input that requires a gradient gets one.
  VjpContext(Node& node, const Tensor& cotangent, std::span<Tensor> gradients, const Way* ways)
      : g(cotangent), node_(node), gradients_(gradients), ways_(ways) {}

  const Tensor& g;  // cotangent of the output, of its shape and dtype

  /// True if input i wants a gradient; a rule does no work for the others.
  [[nodiscard]] bool wanted(std::size_t i) const {
    if (ways_ != nullptr) return ways_[i] != no_way;
    const Slot& slot = node_.slots()[i];
    // A leaf may have been frozen since it was used.
    return slot.wants_gradient() && node_of(*slot.node()).requires_grad();
  }
  /// Value of input i, as a node of the graph; InternalError unless `reads` named it.
  [[nodiscard]] SavedValue input(std::size_t i) const;
  /// Value of the output; InternalError unless `reads` named it.
  [[nodiscard]] SavedValue output() const;
  /// Shape of an input that wants a gradient; known even where its value is not.
  [[nodiscard]] const Shape& shape(std::size_t i) const;
  [[nodiscard]] Dtype dtype(std::size_t i) const;
  [[nodiscard]] std::size_t inputs() const { return gradients_.size(); }

  /// The gradient of input i: of exactly its shape and dtype. Left unset, the input gets none.
  void set(std::size_t i, Tensor gradient) { gradients_[i] = std::move(gradient); }

 private:
  Node& node_;
  std::span<Tensor> gradients_;
  const Way* ways_;
};

/// A differentiable function of tensors, with its attributes; the part of a node that knows its rule.
///
/// Subclasses are trivially destructible (they live inside the node's block) and offer, besides the virtual
/// functions, `Array forward(const Array&...) const` and `static Reads reads(Wanted)`; see core/apply.h.
class Primitive {
 public:
  [[nodiscard]] virtual OpId id() const = 0;
  /// The vector-Jacobian product. Written in differentiable functions, and linear in the cotangent without
  /// any "if it is zero": derivatives of every order, and forward mode, come from this one rule.
  virtual void vjp(VjpContext& context) const = 0;
  /// Attributes a person wants to see in a picture of the graph, such as "axis=1"; empty for most.
  [[nodiscard]] virtual std::string attributes() const { return {}; }

 protected:
  ~Primitive() = default;
};

/// Base of the concrete primitives: `class Tanh final : public PrimitiveOf<OpId::tanh>`.
template <OpId Id>
class PrimitiveOf : public Primitive {
 public:
  static constexpr OpId op = Id;
  [[nodiscard]] OpId id() const final { return Id; }

 protected:
  ~PrimitiveOf() = default;
};

}  // namespace xtgrad::inline v1::detail
