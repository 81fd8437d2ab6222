#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

// The door. Everything that the library computes is a primitive that goes through here, with or without a
// graph: operations, constants, draws, rules, optimizers' formulas. Whoever watches sees all of it.

/// `compute` for a primitive of any class and any number of operands, watched or not.
void compute_any(const Primitive& primitive, Inputs in, Outputs out, InputSet given = 0);

/// Told of every computation of its thread while in a WatchScope. It may not compute while it is told of one;
/// in `before_rule` and `after_rule` it may.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// Before `eval`, shapes and dtypes of the outputs known.
  virtual void before_eval(const Primitive& primitive, Inputs in, Outputs out) = 0;
  /// After it. An output's buffer may be an input's: then it has been taken over.
  virtual void after_eval(const Primitive& primitive, Inputs in, Outputs out) = 0;
  /// Tensors are about to be given to a primitive.
  virtual void before_apply(std::span<const Tensor* const> /*operands*/) {}
  /// A leaf was made to want a gradient.
  virtual void after_wish(const Tensor& /*leaf*/) {}
  /// Elements are about to be read as C++ numbers by a function of this name. May throw.
  virtual void before_read(const Array& /*array*/, std::string_view /*function*/) {}
  /// After a result became a node of the graph: that of the last step, or of a function whose own operations
  /// are not recorded and that has a rule of its own.
  virtual void after_record(Node& /*node*/) {}
  /// In a sweep, before and after the rule of a node. The cotangent is that of its result, and empty for a
  /// node of several. The gradients, one for each input and empty where it gets none, may be replaced by
  /// others of their shapes and dtypes.
  virtual void before_rule(const Node& /*node*/, const Tensor& /*cotangent*/) {}
  virtual void after_rule(const Node& /*node*/, std::span<Tensor> /*gradients*/) {}
  /// After all that, also of a rule that threw, whose error may be told where it comes from.
  virtual void leave_rule(const Node& /*node*/) noexcept {}
  virtual void locate(Error& /*error*/) const {}
  /// A module's forward begins, and ends, in whatever way.
  virtual void enter_module(const ModuleScope& /*module*/) noexcept {}
  virtual void leave_module(const ModuleScope& /*module*/) noexcept {}

  /// True for one that lists what is computed, to compute it again of other elements: then what is checked of
  /// elements has to be a step, too.
  [[nodiscard]] virtual bool is_for_others() const { return false; }

  /// The one around this one; null for the outermost.
  [[nodiscard]] Watcher* outer() const { return outer_; }

 private:
  friend class WatchScope;

  Watcher* outer_ = nullptr;
};

/// Tells those who watch this thread, which are some, of operands.
void tell_operands(std::span<const Tensor* const> operands);
/// The same of a leaf that was made to want a gradient.
void tell_wish(const Tensor& leaf);
/// Tells those who watch this thread, if there are any, that elements are read as C++ numbers.
void tell_reading(const Array& array, std::string_view function);

/// True if someone who watches this thread lists what it computes, to compute it again of other elements.
bool is_listed_for_others();

/// Makes a watcher its thread's while in scope; watchers nest, and all are told, the innermost first.
class WatchScope {
 public:
  explicit WatchScope(Watcher& watcher);
  ~WatchScope();
  WatchScope(const WatchScope&) = delete;
  WatchScope& operator=(const WatchScope&) = delete;

 private:
  Watcher& watcher_;
};

/// True if the elements of `node` may be overwritten by someone who holds `handles` of its handles: nobody
/// else can see them, and no rule will read them.
inline bool may_take_over(const Node& node, std::uint32_t handles) {
  // Acquired: who took the flag off, a sweep on another thread, has read the elements before.
  return node.values.load() == handles && node.array.buffer.unique() &&
         (node.flags.load(std::memory_order_acquire) & Node::keeps_output_flag) == 0;
}

/// True if they may be overwritten and stay this node's: it is nobody's history besides.
inline bool may_change(const Node& node, std::uint32_t handles = 1) {
  return may_take_over(node, handles) && !node.requires_grad();
}

// Calls by name where the class is known: only these can be inlined for sure.
template <class P>
int alias_of(const P& primitive, int output) {
  if constexpr (std::is_abstract_v<P>) {
    return primitive.alias_of(output);
  } else {
    return primitive.P::alias_of(output);
  }
}
template <class P>
InputSet may_overwrite(const P& primitive, int output) {
  if constexpr (std::is_abstract_v<P>) {
    return primitive.may_overwrite(output);
  } else {
    return primitive.P::may_overwrite(output);
  }
}

/// Calls `f`; an OutOfMemory on its way out of it is told in the primitive's name.
template <class P, class F>
[[gnu::always_inline]] inline auto in_name_of(const P& primitive, F&& f) {
  try {
    return f();
  } catch (OutOfMemory& error) {
    error.set_operation(primitive.name());
    throw;
  }
}

/// Gives an output of inferred shape and dtype its buffer: an alias, one that is taken over, or a fresh one.
template <class P>
void place_output(const P& primitive, int index, Inputs in, Array& out, InputSet given) {
  if (const int source = alias_of(primitive, index); source >= 0) {
    out.buffer = in[static_cast<std::size_t>(source)]->buffer;
    return;
  }
  InputSet candidates = given == 0 ? 0 : given & may_overwrite(primitive, index);
  for (std::size_t i = 0; candidates != 0; ++i, candidates >>= 1) {
    if ((candidates & 1U) == 0 || in[i]->dtype != out.dtype || !(in[i]->shape == out.shape)) continue;
    out.buffer = in[i]->buffer;
    return;
  }
  out.buffer = BufferRef::allocate(bytes_of(out.shape, out.dtype));
}

/// Runs a primitive: infers, finds memory, evaluates. `out` are empty arrays, null where one is not wanted
/// (auxiliaries at least; of outputs if the primitive allows it). `given` names inputs whose buffers the
/// caller gives away: nobody else sees them.
template <class P, std::size_t N, std::size_t M>
void compute(const P& primitive, const std::array<const Array*, N>& in, const std::array<Array*, M>& out,
             InputSet given = 0) {
  if (thread_state.is_watched()) return compute_any(primitive, in, out, given);
  std::array<const Spec*, N> in_specs;
  for (std::size_t i = 0; i < N; ++i) in_specs[i] = in[i];
  std::array<Spec, M> unwanted;
  std::array<Spec*, M> out_specs;
  for (std::size_t k = 0; k < M; ++k) out_specs[k] = out[k] != nullptr ? out[k] : &unwanted[k];
  primitive.P::infer(in_specs, out_specs);
  try {
    for (std::size_t k = 0; k < M; ++k) {
      if (out[k] != nullptr) place_output(primitive, static_cast<int>(k), in, *out[k], given);
    }
    primitive.P::eval(in, out);
  } catch (OutOfMemory& error) {
    error.set_operation(primitive.name());
    throw;
  }
}

/// `compute_one` where a watcher is told. Apart, so that elsewhere no list of operands leaves the function:
/// one that did would be read back from memory, in a wide load right after its narrow stores, which waits for
/// them and cost a rule of two operands 5 ns.
template <InputSet Given, class P, class... Arrays>
[[gnu::noinline, gnu::cold]] Array compute_one_watched(const P& primitive, const Arrays&... operands) {
  const std::array<const Array*, sizeof...(Arrays)> in{&operands...};
  Array result;
  Array* const out = &result;
  compute_any(primitive, in, {&out, 1}, Given);
  return result;
}

/// As `compute`, for one output that is always wanted.
template <InputSet Given = 0, class P, class... Arrays>
Array compute_one(const P& primitive, const Arrays&... operands) {
  constexpr std::size_t n = sizeof...(Arrays);
  if (thread_state.is_watched()) return compute_one_watched<Given, P, Arrays...>(primitive, operands...);
  const std::array<const Array*, n> in{&operands...};
  const std::array<const Spec*, n> in_specs{&operands...};
  Array result;
  Spec* const spec = &result;
  primitive.P::infer(in_specs, {&spec, 1});
  try {
    place_output(primitive, 0, in, result, Given);
    if (alias_of(primitive, 0) >= 0) return result;
    Array* const out = &result;
    primitive.P::eval(in, {&out, 1});
  } catch (OutOfMemory& error) {
    error.set_operation(primitive.name());
    throw;
  }
  return result;
}

/// `first = primitive(first, rest...)` for elements that nobody else sees: they are written over, and no
/// count is touched, where the primitive allows that and the result has their shape and dtype.
template <class P, class... Arrays>
void compute_in_place(const P& primitive, Array& first, const Arrays&... rest) {
  if (thread_state.is_watched()) {
    first = compute_one_watched<0b1, P, Array, Arrays...>(primitive, first, rest...);
    return;
  }
  const std::array<const Array*, 1 + sizeof...(Arrays)> in{&first, &rest...};
  const std::array<const Spec*, 1 + sizeof...(Arrays)> in_specs{&first, &rest...};
  Spec result;
  Spec* const spec = &result;
  primitive.P::infer(in_specs, {&spec, 1});
  if ((may_overwrite(primitive, 0) & 0b1) == 0 || result.dtype != first.dtype ||
      !(result.shape == first.shape)) {
    first = compute_one(primitive, std::as_const(first), rest...);
    return;
  }
  Array* const out = &first;
  primitive.P::eval(in, {&out, 1});
}

}  // namespace xtgrad::v1::detail
