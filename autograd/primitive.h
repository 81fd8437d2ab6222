#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/attributes.h"
#include "xtgrad/autograd/known_primitive.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/vjp_context.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// What an operation is, for those who write one of their own; docs/extending.md shows four. The library's
// own are written against the same classes.

/// Which values a rule reads, given which inputs want a gradient: bit i for input i, and `output_bit`.
/// Whatever is not named here is released as soon as no handle holds it.
using Reads = std::uint32_t;
inline constexpr Reads output_bit = Reads{1} << 31;
inline constexpr Reads reads_nothing = 0;
constexpr Reads input_bit(int i) { return Reads{1} << i; }
/// Bit i: input i wants a gradient.
using Wanted = std::uint32_t;
constexpr bool is_wanted(Wanted wanted, int i) { return (wanted >> i & 1U) != 0; }

namespace detail {
class BatchContext;

/// The masks' last bit for an input, that of number `max_read_inputs - 1`, is that of all that follow, too.
inline constexpr std::size_t max_read_inputs = 31;
}  // namespace detail

// Operands of a primitive: what is known before, and the arrays themselves.
using InputSpecs = std::span<const Spec* const>;
using OutputSpecs = std::span<Spec* const>;  // outputs, then auxiliaries
using Inputs = std::span<const Array* const>;
using Outputs = std::span<Array* const>;  // null where one is not wanted

/// Bit i: input i.
using InputSet = std::uint32_t;
/// Bit k: output k.
using OutputSet = std::uint32_t;

struct Counts {
  std::size_t outputs = 1;
  std::size_t auxiliaries = 0;  ///< arrays that `eval` makes for the rule alone
};

class Primitive;

/// How a program that runs again calls a primitive whose shapes and dtypes are known: on `n` elements, of
/// which `repeated` names the operands that are one element for all. Null where only `eval` will do.
using TileKernel = void (*)(const Primitive& primitive, std::int64_t n, const void* const* in,
                            InputSet repeated, void* const* out);

/// How such a program calls a primitive that reduces the last axis of its input: `in` is [rows, width], `out`
/// one element a row, of the input's dtype. Null where only `eval` will do.
using RowKernel = void (*)(const Primitive& primitive, std::int64_t rows, std::int64_t width, const void* in,
                           void* out);

/// A function of arrays, with its attributes: a value that the library can run again. Everything that is
/// computed is one of these.
///
/// `infer` and `eval` are pure: what they do depends on attributes and operands alone, draws of random
/// numbers included, whose seed and position are an operand.
class Primitive {
 public:
  /// What errors, pictures and profiles call it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Visits all attributes.
  virtual void describe(Attributes&) {}
  [[nodiscard]] virtual Counts counts(InputSpecs) const { return {}; }

  /// Shapes and dtypes of the outputs and auxiliaries; throws where the inputs do not belong together.
  virtual void infer(InputSpecs in, OutputSpecs out) const = 0;
  /// Fills arrays of the inferred shapes and dtypes. What depends on values is checked before the first
  /// write.
  virtual void eval(Inputs in, Outputs out) const = 0;
  /// The input whose elements are the output's, under another shape: they share the buffer, and `eval` is not
  /// asked for that output. -1 for none.
  [[nodiscard]] virtual int alias_of(int /*output*/) const { return -1; }
  /// Inputs whose buffer the output may take over where nobody else can see it, and both have one shape and
  /// dtype: `eval` then writes over what it reads.
  [[nodiscard]] virtual InputSet may_overwrite(int /*output*/) const { return 0; }
  /// True if `eval` cannot fail: it refuses no elements and asks for no memory. A program that runs again may
  /// let such a step write over the state that it replaces.
  [[nodiscard]] virtual bool cannot_fail() const { return false; }
  /// Arithmetic operations of one `eval`, for profiles. Sums of products count each addition and each
  /// multiplication, padding's included; an elementwise formula counts one for each element of its result,
  /// and a reduction one for each that it reads, whatever they compute. 0 for what moves or converts.
  [[nodiscard]] virtual std::int64_t flops(InputSpecs /*in*/, InputSpecs /*out*/) const { return 0; }
  /// For a program that runs again; see TileKernel.
  [[nodiscard]] virtual TileKernel bind(InputSpecs) const { return nullptr; }
  [[nodiscard]] virtual RowKernel bind_rows(InputSpecs) const { return nullptr; }

  /// False for constants: their results have no history, whatever the inputs want.
  [[nodiscard]] virtual bool has_vjp() const = 0;
  [[nodiscard]] virtual Reads reads(Wanted) const { return reads_nothing; }
  /// Which of several outputs, of the first 32, the rule reads; in place of `output_bit`. With auxiliaries
  /// they may be 15 in all.
  [[nodiscard]] virtual OutputSet reads_outputs() const { return 0; }
  /// True for primitives of more than 31 inputs, whose rule reads none of them or all.
  [[nodiscard]] virtual bool takes_many_inputs() const { return false; }
  /// The vector-Jacobian product. Written in differentiable functions, and linear in the cotangent without
  /// any "if it is zero": derivatives of every order, and forward mode, come from this one rule.
  virtual void vjp(VjpContext&) const {}

  /// The results for a batch of examples at once. False where the primitive has no rule for that, and is run
  /// on each example; see autograd/batch_loop.h.
  [[nodiscard]] virtual bool batch(detail::BatchContext&) const { return false; }

  /// What a file may have wrong of a call: asked once, where a program is loaded, before anything else is.
  /// Throws an Error unless there are as many inputs and outputs as this takes (`require_call`), and
  /// attributes are right where `infer` and `eval` rely on the functions that make it. `out` is what the file
  /// says of outputs and auxiliaries, null where one is not wanted. Only a primitive that has this, as a
  /// public function, and a default constructor, can be saved and loaded.
  virtual void check_loaded(InputSpecs /*in*/, InputSpecs /*out*/) const {}

  // How a primitive of unknown class is copied into a node's block, or into a list of steps.
  [[nodiscard]] virtual std::size_t block_bytes() const = 0;
  virtual Primitive* copy_to(void* place) const = 0;
  virtual void destroy() noexcept = 0;
  [[nodiscard]] virtual bool has_destructor() const = 0;

 protected:
  ~Primitive() = default;

  /// For `check_loaded`: throws ValueError unless there are so many inputs, and as many outputs and
  /// auxiliaries as `counts` says. All outputs are wanted, unless some of them will do.
  void require_call(InputSpecs in, InputSpecs out, std::size_t inputs, bool some_outputs = false) const;
};

namespace detail {

template <class Self>
inline constexpr bool has_loaded_check =
    !std::is_same_v<decltype(&Self::check_loaded), void (Primitive::*)(InputSpecs, InputSpecs) const>;

/// True for a class that a program's file can name.
template <class Self>
inline constexpr bool is_loadable = std::is_default_constructible_v<Self>&& has_loaded_check<Self>;

}  // namespace detail

/// What every concrete primitive derives from, directly or through one of the classes below: copies Self.
/// Attributes may be of any type that can be copied; they live in the node of every recorded call, so large
/// ones are better shared.
template <class Self>
class Concrete : public Primitive {
 public:
  /// Auxiliaries that every call makes; a primitive that has some hides this.
  static constexpr std::size_t auxiliaries = 0;

  [[nodiscard]] Counts counts(InputSpecs) const override { return {1, Self::auxiliaries}; }
  [[nodiscard]] std::size_t block_bytes() const final {
    static_assert(alignof(Self) <= alignof(void*), "a primitive's attributes cannot be overaligned");
    static_assert(sizeof(Self) <= 4096, "a primitive's attributes are too large for a node; share them");
    return sizeof(Self);
  }
  Primitive* copy_to(void* place) const final {
    // So that it is known wherever there is one.
    if constexpr (detail::is_loadable<Self>) static_cast<void>(&known_);
    return new (place) Self(static_cast<const Self&>(*this));
  }
  void destroy() noexcept final { std::destroy_at(static_cast<Self*>(this)); }
  [[nodiscard]] bool has_destructor() const final { return !std::is_trivially_destructible_v<Self>; }

 protected:
  ~Concrete() = default;

 private:
  static Primitive* make(void* place) { return new (place) Self(); }

  static inline detail::KnownPrimitive known_{sizeof(Self), make};
};

/// A primitive with a rule.
///
///   class Cube final : public DifferentiablePrimitive<Cube> {
///    public:
///     std::string_view name() const override { return "cube"; }
///     void infer(InputSpecs in, OutputSpecs out) const override {
///       require_floating(name(), in);
///       *out[0] = *in[0];
///     }
///     void eval(Inputs in, Outputs out) const override;  // out[0]->mutable_data<float>()[i] = ...
///     Reads reads(Wanted) const override { return input_bit(0); }
///     void vjp(VjpContext& context) const override {
///       context.set(0, context.g() * 3 * square(Tensor(context.input(0))));
///     }
///   };
///   Tensor y = run(Cube{}, {x});
template <class Self>
class DifferentiablePrimitive : public Concrete<Self> {
 public:
  [[nodiscard]] bool has_vjp() const final { return true; }

 protected:
  ~DifferentiablePrimitive() = default;
};

/// A primitive without a rule, whose results are constants.
template <class Self>
class ConstantPrimitive : public Concrete<Self> {
 public:
  [[nodiscard]] bool has_vjp() const final { return false; }

 protected:
  ~ConstantPrimitive() = default;
};

/// Runs a primitive of one output, and records it if an input wants a gradient. Throws ValueError for an
/// empty handle and for a primitive of several outputs, GraphError for more than 31 inputs where it is
/// recorded, and what `infer` and `eval` throw.
[[nodiscard]] Tensor run(const Primitive& primitive, std::span<const Tensor> inputs);
[[nodiscard]] Tensor run(const Primitive& primitive, std::initializer_list<Tensor> inputs);
/// The same for a primitive of any number of outputs. Those of integer dtypes are constants.
[[nodiscard]] std::vector<Tensor> run_all(const Primitive& primitive, std::span<const Tensor> inputs);
[[nodiscard]] std::vector<Tensor> run_all(const Primitive& primitive, std::initializer_list<Tensor> inputs);

/// For `infer`: throws DtypeError, in the operation's name, unless all inputs are float32, or all float64.
void require_floating(std::string_view operation, InputSpecs in);

}}  // namespace xtgrad::v1
