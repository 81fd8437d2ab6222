// Samples of what is put, or combined with what is there, at places that an index names.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Shapes of x and of the index, and an axis, also as it is counted from the front.
struct Case {
  Shape x, index;
  std::int64_t axis;
  std::size_t dim;
  bool derivatives = true;
};

std::vector<Case> cases() {
  return {{{4}, {6}, 0, 0},
          {{4}, {3}, 0, 0},
          {{3, 2}, {2, 2}, 0, 0},
          {{2, 3}, {2, 5}, 1, 1},
          {{2, 3, 2}, {1, 4, 2}, -2, 1},
          {{3, 2}, {1, 2}, 0, 0},
          {{3, 2}, {0, 2}, 0, 0},
          {{1}, {1}, 0, 0},
          {{1037}, {2049}, 0, 0, false},
          {{61, 17}, {61, 3}, 1, 1, false}};
}

std::string describe(const Case& c) {
  return "x " + to_string(c.x) + ", index " + to_string(c.index) + ", axis=" + std::to_string(c.axis);
}

/// x, with each entry of a source combined with what is at its place, one after the other.
SampleReference combined(const Case& c, Real (*combine)(Real there, Real entry)) {
  return [=](std::span<const Values> in) {
    Values out = in[0];
    for_each_index(c.index, [&](Index place) {
      const Real entry = in[2].at(place);
      place[c.dim] = static_cast<std::int64_t>(in[1].at(place));
      out.at(place) = combine(out.at(place), entry);
    });
    return out;
  };
}

using Function = Tensor (*)(const Tensor&, std::int64_t, const Tensor&, const Tensor&);

void add_samples(Op& op, Function function, Real (*combine)(Real there, Real entry), const Sample& like) {
  for (const Case& c : cases()) {
    Sample sample = like;
    const Domain domain = like.inputs[0].domain;
    sample.attributes = describe(c);
    sample.inputs = {{.shape = c.x, .domain = domain},
                     index_input(c.index, 0, c.x[c.dim]),
                     {.shape = c.index, .domain = domain}};
    sample.apply = [=](const Tensor& x, const Tensor& index, const Tensor& source) {
      return function(x, c.axis, index, source);
    };
    sample.reference = combined(c, combine);
    sample.derivatives = c.derivatives;
    op.sample(sample);
  }
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 3 at [0, 0], but axis 1 of x has size 3", [=] {
    return function(x, 1, index_of({1, 1}, 3), ones({1, 1}));
  });
  op.throws<ShapeError>("source and index must have one shape: source is [1, 2], index is [1, 1]", [=] {
    return function(x, 1, index_of({1, 1}, 0), ones({1, 2}));
  });
  op.throws<ShapeError>("the index must be no larger than x outside axis 1: x is [2, 3], the index is [3, 1]",
                        [=] {
                          return function(x, 1, index_of({3, 1}, 0), ones({3, 1}));
                        });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return function(x, 1, ones({1, 1}), ones({1, 1}));
  });
  op.throws<DtypeError>("dtypes differ: x is float32, source is int64; convert one with to()", [=] {
    return function(x, 1, index_of({1, 1}, 0), index_of({1, 1}, 0));
  });
  op.throws<ShapeError>("axis 2 is out of range", [=] {
    return function(x, 2, index_of({1, 1}, 0), ones({1, 1}));
  });
}

/// Two or three entries for one place.
void add_exact(Op& op, const std::string& what, Function function, const std::vector<Values>& operands,
               const Values& value, const std::vector<Values>& gradients) {
  op.exact({.what = what,
            .inputs = operands,
            .apply = [=](const Tensor& x, const Tensor& index,
                         const Tensor& source) { return function(x, 0, index, source); },
            .value = value,
            .gradients = gradients,
            .roles = {Role::floating, Role::index, Role::floating}});
}

const Sample linear{.inputs = {Input{}}, .linear_in = {0, 2}};
/// No two elements tie.
const Sample distinct{.inputs = {{.domain = {.low = -8, .high = 8, .apart = true}}}};

const OpSamples scatter_samples(OpId::scatter, [](Op& op) {
  op.accepts = Accepts::everything;
  add_samples(
      op, scatter, [](Real, Real entry) { return entry; }, linear);
  add_exact(op, "the last of two at one place", scatter, {row({1, 2, 3}), row({1, 1, 0}), row({10, 20, 30})},
            row({30, 20, 3}), {row({0, 0, 1}), row({0, 1, 1})});
  add_exact(op, "what is replaced has no share, be it NaN", scatter,
            {row({not_a_number, 2}), row({0, 0}), row({not_a_number, 7})}, row({7, 2}),
            {row({0, 1}), row({0, 1})});
});

const OpSamples scatter_mul_samples(OpId::scatter_mul, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::gather};
  // Each place is a product of at most some twelve factors.
  op.accuracy = {.ulps = 6, .gradient_ulps = 6, .float32_gradient_ulps = 24};
  Sample sample = linear;
  sample.linear_in = {0};
  sample.linear_exactly = false;
  sample.integers = false;          // whose products leave the range
  sample.nasty = false;             // the order of the factors decides what overflows on the way
  sample.decided = Decided::steps;  // as many as the most factors of a place ask for
  add_samples(
      op, scatter_mul, [](Real there, Real entry) { return there * entry; }, sample);
  add_exact(op, "three factors at one place", scatter_mul, {row({2, 5}), row({0, 0, 0}), row({3, 5, 7})},
            row({210, 5}), {row({105, 1}), row({70, 42, 30})});
  add_exact(op, "one that is 0", scatter_mul, {row({2, 5}), row({0, 0, 0}), row({3, 0, 7})}, row({0, 5}),
            {row({0, 1}), row({0, 42, 0})});
  add_exact(op, "two that are 0", scatter_mul, {row({2, 5}), row({0, 0, 0}), row({0, 0, 7})}, row({0, 5}),
            {row({0, 1}), row({0, 0, 0})});
});

const OpSamples scatter_max_samples(OpId::scatter_max, [](Op& op) {
  op.accepts = Accepts::numbers;
  add_samples(
      op, scatter_max,
      [](Real there, Real entry) { return !(entry <= there) && !std::isnan(there) ? entry : there; },
      distinct);
  add_exact(op, "a tie of three, x's own among them", scatter_max,
            {row({6, 1}), row({0, 0, 0, 1}), row({6, 2, 6, 5})}, row({6, 5}),
            {row({1.0 / 3, 0}), row({1.0 / 3, 0, 1.0 / 3, 1})});
  add_exact(op, "NaN wins, and each has its share", scatter_max,
            {row({6, not_a_number}), row({0, 0, 1}), row({not_a_number, 9, not_a_number})},
            row({not_a_number, not_a_number}), {row({0, 0.5}), row({1, 0, 0.5})});
});

const OpSamples scatter_min_samples(OpId::scatter_min, [](Op& op) {
  op.accepts = Accepts::numbers;
  add_samples(
      op, scatter_min,
      [](Real there, Real entry) { return !(entry >= there) && !std::isnan(there) ? entry : there; },
      distinct);
  add_exact(op, "a tie of x and an entry", scatter_min, {row({2, 9}), row({0, 0, 1}), row({2, 7, 3})},
            row({2, 3}), {row({0.5, 0}), row({0.5, 0, 1})});
});

const OpSamples index_copy_samples(OpId::index_copy, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& x, std::int64_t axis, std::size_t dim, std::int64_t n,
                        bool derivatives = true) {
    Shape source = x;
    source[dim] = n;
    op.sample({.attributes =
                   to_string(x) + ", axis " + std::to_string(axis) + ", index [" + std::to_string(n) + "]",
               .inputs = {{.shape = x}, index_input({n}, 0, x[dim]), {.shape = source}},
               .apply = [axis](const Tensor& a, const Tensor& index,
                               const Tensor& entries) { return index_copy(a, axis, index, entries); },
               .reference =
                   [=](std::span<const Values> in) {
                     Values out = in[0];
                     // In the order of the index: the last entry of a place stays.
                     for_each_index(source, [&](const Index& place) {
                       Index target = place;
                       target[dim] = static_cast<std::int64_t>(in[1].at({place[dim]}));
                       out.at(target) = in[2].at(place);
                     });
                     return out;
                   },
               .linear_in = {0, 2},
               .derivatives = derivatives});
  };
  of({4}, 0, 0, 3);
  of({3, 2}, 0, 0, 5);
  of({3, 2}, -1, 1, 1);
  of({2, 3, 2}, 1, 1, 2);
  of({3, 2}, 0, 0, 0);
  of({61, 17}, 0, 0, 90, false);
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ShapeError>("the index must be [n], it is [1, 1]", [=] {
    return index_copy(ones({2}), 0, index_of({1, 1}, 0), ones({1}));
  });
  op.throws<ShapeError>(
      "source must be [1, 3], x's shape with an entry of axis 0 for each of the index: x is "
      "[2, 3], the index is [1], source is [3]",
      [=] {
        return index_copy(ones({2, 3}), 0, index_of({1}, 0), ones({3}));
      });
  op.throws<ValueError>("the index is out of range: 2 at [0], but axis 0 of x has size 2",
                        [=] { return index_copy(ones({2}), 0, index_of({1}, 2), ones({1})); });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)",
                        [=] { return index_copy(ones({2}), 0, ones({1}), ones({1})); });
});

}}  // namespace xtgrad::testing
