// Samples of logic.
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/logic.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
/// Whole numbers, zeros among them.
const Input sparse{.domain = {.low = -1, .high = 1, .whole = true}};

const OpSamples logical_and_samples(OpId::logical_and, [](Op& op) {
  op.parts = {OpId::bitwise_and, OpId::not_equal_number};
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return logical_and(a, b); },
                  .reference = [](Real a, Real b) -> Real { return a != 0 && b != 0; },
                  .inputs = {sparse, sparse},
                  .result = [](Dtype) { return Dtype::boolean; }});
});

const OpSamples logical_or_samples(OpId::logical_or, [](Op& op) {
  op.parts = {OpId::bitwise_or, OpId::not_equal_number};
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return logical_or(a, b); },
                  .reference = [](Real a, Real b) -> Real { return a != 0 || b != 0; },
                  .inputs = {sparse, sparse},
                  .result = [](Dtype) { return Dtype::boolean; }});
});

const OpSamples logical_xor_samples(OpId::logical_xor, [](Op& op) {
  op.parts = {OpId::bitwise_xor, OpId::not_equal_number};
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& a, const Tensor& b) { return logical_xor(a, b); },
                  .reference = [](Real a, Real b) -> Real { return (a != 0) != (b != 0); },
                  .inputs = {sparse, sparse},
                  .result = [](Dtype) { return Dtype::boolean; }});
});

const OpSamples logical_not_samples(OpId::logical_not, [](Op& op) {
  op.parts = {OpId::equal_number};
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& a) { return logical_not(a); },
                  .reference = [](Real a) -> Real { return a == 0; },
                  .inputs = {sparse},
                  .result = [](Dtype) { return Dtype::boolean; }});
});

/// f of the elements of one input, or of two whose shapes broadcast.
template <class T, class F>
Values bits_of(std::span<const Values> in, F f) {
  return fill(broadcast_shape(in), [&](const Index& at) {
    const auto element = [&](std::size_t k) {
      return static_cast<T>(in[k].at(broadcast_index(at, in[k].shape)));
    };
    if constexpr (std::invocable<F, T>) {
      return static_cast<Real>(f(element(0)));
    } else {
      return static_cast<Real>(f(element(0), element(1)));
    }
  });
}

const OpSamples bitwise_and_samples(OpId::bitwise_and, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.attributes = "bool",
             .inputs = {mask_input({2, 3}), mask_input({3})},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_and(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<bool>(in, [](bool v, bool w) { return v && w; });
                 },
             .result = [](Dtype) { return boolean; }});
  op.sample({.attributes = "int64",
             .inputs = {index_input({2, 3}, -9, 9), index_input({3}, -9, 9)},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_and(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(in, [](std::int64_t v, std::int64_t w) { return v & w; });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("bitwise_and: needs bool or integers, got float32",
                        [] { return bitwise_and(ones({2}), ones({2})); });
});

const OpSamples bitwise_or_samples(OpId::bitwise_or, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.attributes = "bool",
             .inputs = {mask_input({2, 3}), mask_input({3})},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_or(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<bool>(in, [](bool v, bool w) { return v || w; });
                 },
             .result = [](Dtype) { return boolean; }});
  op.sample({.attributes = "int64",
             .inputs = {index_input({2, 3}, -9, 9), index_input({3}, -9, 9)},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_or(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(in, [](std::int64_t v, std::int64_t w) { return v | w; });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("bitwise_or: needs bool or integers, got float32",
                        [] { return bitwise_or(ones({2}), ones({2})); });
});

const OpSamples bitwise_xor_samples(OpId::bitwise_xor, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.attributes = "bool",
             .inputs = {mask_input({2, 3}), mask_input({3})},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<bool>(in, [](bool v, bool w) { return v != w; });
                 },
             .result = [](Dtype) { return boolean; }});
  op.sample({.attributes = "int64",
             .inputs = {index_input({2, 3}, -9, 9), index_input({3}, -9, 9)},
             .apply = [](const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(in, [](std::int64_t v, std::int64_t w) { return v ^ w; });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("bitwise_xor: needs bool or integers, got float32",
                        [] { return bitwise_xor(ones({2}), ones({2})); });
});

const OpSamples bitwise_not_samples(OpId::bitwise_not, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample(
      {.attributes = "bool",
       .inputs = {mask_input({2, 3})},
       .apply = [](const Tensor& a) { return bitwise_not(a); },
       .reference = [](std::span<const Values> in) { return bits_of<bool>(in, [](bool v) { return !v; }); },
       .result = [](Dtype) { return boolean; }});
  op.sample({.attributes = "int64",
             .inputs = {index_input({2, 3}, -9, 9)},
             .apply = [](const Tensor& a) { return bitwise_not(a); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(in, [](std::int64_t v) { return ~v; });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("bitwise_not: needs bool or integers, got float32",
                        [] { return bitwise_not(ones({2})); });
});

const OpSamples left_shift_samples(OpId::left_shift, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.inputs = {index_input({2, 3}, -9, 9), index_input({3}, 0, 70)},
             .apply = [](const Tensor& x, const Tensor& count) { return left_shift(x, count); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(in, [](std::int64_t v, std::int64_t w) {
                     return w > 63 ? std::int64_t{0}
                                   : static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << w);
                   });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("left_shift: needs int64, got float32",
                        [] { return left_shift(ones({2}), ones({2})); });
  op.throws<ValueError>("left_shift: count must not be negative, got -1 at element 0 of []", [] {
    return left_shift(ones({2}, {.dtype = int64}), full({}, -1, {.dtype = int64}));
  });
});

const OpSamples right_shift_samples(OpId::right_shift, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.inputs = {index_input({2, 3}, -9, 9), index_input({3}, 0, 70)},
             .apply = [](const Tensor& x, const Tensor& count) { return right_shift(x, count); },
             .reference =
                 [](std::span<const Values> in) {
                   return bits_of<std::int64_t>(
                       in, [](std::int64_t v, std::int64_t w) { return v >> std::min<std::int64_t>(w, 63); });
                 },
             .result = [](Dtype) { return int64; }});
  op.throws<DtypeError>("right_shift: needs int64, got float32",
                        [] { return right_shift(ones({2}), ones({2})); });
  op.throws<ValueError>("right_shift: count must not be negative, got -1 at element 0 of []", [] {
    return right_shift(ones({2}, {.dtype = int64}), full({}, -1, {.dtype = int64}));
  });
});

}}  // namespace xtgrad::testing
