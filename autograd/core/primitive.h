#pragma once

#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/lookup.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/primitive.h"

namespace xtgrad::inline v1::detail {

// The public classes under the names that the library's own code says.
using v1::Concrete;
using v1::ConstantPrimitive;
using v1::Counts;
using v1::DifferentiablePrimitive;
using v1::input_bit;
using v1::Inputs;
using v1::InputSet;
using v1::InputSpecs;
using v1::is_wanted;
using v1::output_bit;
using v1::Outputs;
using v1::OutputSet;
using v1::OutputSpecs;
using v1::Primitive;
using v1::Reads;
using v1::reads_nothing;
using v1::SavedValue;
using v1::TileKernel;
using v1::VjpContext;
using v1::Wanted;

inline const Array& array_of(const SavedValue& value) { return value.array(); }

/// The sums of cotangents in a sweep, as the rule at hand may see and extend them.
class CotangentSums {
 public:
  /// What input i of `node` has got from other rules so far; null before the first.
  virtual Tensor* find(Node& node, std::size_t i, const Way* ways) = 0;
  virtual void add(Tensor& sum, Tensor term) = 0;
  /// As `find`, for a lookup along `axis` of input i whose result has `shape`.
  virtual LookupTarget lookup_target(Node& node, std::size_t i, const Way* ways, std::size_t axis,
                                     const Shape& shape) = 0;
  virtual void defer(Node& node, std::size_t i, Lookup&& lookup) = 0;

 protected:
  ~CotangentSums() = default;
};

/// An operation with a rule: `class Matmul final : public PrimitiveOf<Matmul, OpId::matmul>`.
template <class Self, OpId Id>
class PrimitiveOf : public DifferentiablePrimitive<Self> {
 public:
  static constexpr OpId op = Id;
  [[nodiscard]] std::string_view name() const final { return to_string(Id); }

 protected:
  ~PrimitiveOf() = default;
};

/// A primitive of unknown class, owned.
class PrimitiveCopy {
 public:
  explicit PrimitiveCopy(const Primitive& primitive);
  /// One of the class, to be described over.
  explicit PrimitiveCopy(const KnownPrimitive& known);
  PrimitiveCopy(PrimitiveCopy&& other) noexcept : primitive_(std::exchange(other.primitive_, nullptr)) {}
  PrimitiveCopy& operator=(PrimitiveCopy&& other) noexcept {
    std::swap(primitive_, other.primitive_);
    return *this;
  }
  ~PrimitiveCopy();

  const Primitive& operator*() const { return *primitive_; }
  const Primitive* operator->() const { return primitive_; }

 private:
  Primitive* primitive_;
};

}  // namespace xtgrad::v1::detail
