// Samples of softmax_cross_entropy.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// The largest less the class's, and the logarithm of a sum in which the largest counts 1.
Real loss_of(const std::vector<Real>& line, std::size_t own) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (std::isnan(line[i])) return line[i];
    if (line[i] > line[best]) best = i;
  }
  if (std::isinf(line[best])) {
    return line[best] > 0 && line[own] != line[best] ? line[best] : static_cast<Real>(nan);
  }
  Real others = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i != best) others += std::exp(line[i] - line[best]);
  }
  return (line[best] - line[own]) + std::log1p(others);
}

struct Case {
  Shape logits;
  std::int64_t axis;
  std::size_t dim;
  Domain domain = {};
  bool derivatives = true;
};

Shape without(const Shape& shape, std::size_t dim) {
  Shape rest;
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (d != dim) rest.push_back(shape[d]);
  }
  return rest;
}

Values reference(const Case& c, std::span<const Values> in) {
  return fill(without(c.logits, c.dim), [&](const Index& run) {
    Index place(c.logits.rank());
    for (std::size_t d = 0, from = 0; d < c.logits.rank(); ++d) {
      if (d != c.dim) place[d] = run[from++];
    }
    std::vector<Real> line;
    for (place[c.dim] = 0; place[c.dim] < c.logits[c.dim]; ++place[c.dim]) line.push_back(in[0].at(place));
    return loss_of(line, static_cast<std::size_t>(in[1].at(run)));
  });
}

const OpSamples samples(OpId::softmax_cross_entropy, [](Op& op) {
  // Two rules: that of the kernel divides the cotangent, the recorded one exponentiates log probabilities.
  op.accuracy = {.ulps = 4, .floor = 1, .signed_zeros = false, .gradient_ulps = 4, .gradient_floor = 1};
  const std::vector<Case> cases = {
      {{4}, 0, 0},
      {{1}, 0, 0},
      {{2, 3}, 1, 1},
      {{2, 3}, -1, 1},
      {{3, 2}, 0, 0},
      {{2, 3, 2}, -2, 1},
      {{2, 3, 2}, 2, 2},
      {{2, 1}, -1, 1},
      {{0, 3}, 1, 1},
      {{3, 0}, 0, 0},
      {{3}, 0, 0, {.low = 998, .high = 1002}},
      {{3}, 0, 0, {.low = -1002, .high = -998}},
      {{7, 1037}, 1, 1, {.low = -8, .high = 8}, false},
      {{61, 17}, 0, 0, {.low = -8, .high = 8}, false},
      {{3, 19, 300}, 1, 1, {.low = -8, .high = 8}, false},
  };
  for (const Case& c : cases) {
    op.sample({.attributes = to_string(c.logits) + " axis=" + std::to_string(c.axis),
               .inputs = {{.shape = c.logits, .domain = c.domain},
                          index_input(without(c.logits, c.dim), 0, c.logits[c.dim])},
               .apply = [c](const Tensor& x,
                            const Tensor& index) { return softmax_cross_entropy(x, index, c.axis); },
               .reference = [c](std::span<const Values> in) { return reference(c, in); },
               .derivatives = c.derivatives});
  }
  const auto of_first = [](const Tensor& x) {
    return softmax_cross_entropy(x, zeros({}, {.dtype = int64}), 0);
  };
  op.exact({"far apart", {row({1e3, -1e3})}, of_first, scalar(0), {row({0, 0})}});
  op.exact({"the other", {row({-1e3, 1e3})}, of_first, scalar(2e3), {row({-1, 1})}});
  op.exact({"of -inf", {row({-inf, 5})}, of_first, scalar(inf), {row({-1, 1})}});
  op.exact({"beside -inf", {row({5, -inf})}, of_first, scalar(0), {row({0, 0})}});
  op.exact({"beside inf", {row({5, inf, 3})}, of_first, scalar(inf), {row({-1, nan, 0})}});
  op.exact({"of inf", {row({inf, 5})}, of_first, scalar(nan), {row({nan, 0})}});
  op.exact({"all -inf", {row({-inf, -inf})}, of_first, scalar(nan), {row({nan, nan})}});
  op.exact({"equal", {row({1e3, 1e3})}, of_first, scalar(std::log(2.0)), {row({-0.5, 0.5})}});

  const Tensor x = ones({2, 3});
  const auto classes = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 3 at [0], but axis 1 of the logits has size 3",
                        [=] { return softmax_cross_entropy(x, classes({2}, 3)); });
  op.throws<ValueError>("the index is out of range: -1 at [0], but axis 0 of the logits has size 2",
                        [=] { return softmax_cross_entropy(x, classes({3}, -1), 0); });
  op.throws<ValueError>("the index is out of range: 0 at [0], but axis 1 of the logits has size 0", [=] {
    return softmax_cross_entropy(ones({2, 0}), classes({2}, 0));
  });
  op.throws<ShapeError>("the index needs the logits' shape without axis 1: logits [2, 3] need [2], got [3]",
                        [=] { return softmax_cross_entropy(x, classes({3}, 0)); });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)",
                        [=] { return softmax_cross_entropy(x, ones({2})); });
  op.throws<ShapeError>("axis 2 is out of range",
                        [=] { return softmax_cross_entropy(x, classes({2}, 0), 2); });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [=] { return softmax_cross_entropy(ones({}), classes({}, 0), 0); });
});

}}  // namespace xtgrad::testing
