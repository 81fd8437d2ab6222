// Samples of ctc_loss.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

using Labels = std::vector<std::int64_t>;

struct Case {
  const char* what;
  std::int64_t steps, classes;
  std::vector<Labels> targets;
  Labels input_lengths;
  std::int64_t blank = 0;
  bool padded = true;
  double low = -3, high = 0;
};

/// What a path stands for.
Labels collapsed(const Labels& path, std::int64_t blank) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  }
  return labels;
}

/// -log of the sum over all paths, one by one, less the largest of them.
Real loss_of(const Values& log_p, const Case& c, std::int64_t item) {
  const std::int64_t steps = c.input_lengths[static_cast<std::size_t>(item)];
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < steps; ++t) paths *= c.classes;
  std::vector<Real> fitting;
  for (std::int64_t number = 0; number < paths; ++number) {
    Labels path;
    Real sum = 0;
    for (std::int64_t t = 0, rest = number; t < steps; ++t, rest /= c.classes) {
      path.push_back(rest % c.classes);
      sum += log_p.at({t, item, path.back()});
    }
    if (collapsed(path, c.blank) == c.targets[static_cast<std::size_t>(item)]) fitting.push_back(sum);
  }
  if (fitting.empty()) return infinity;
  Real largest = -infinity, total = 0;
  for (const Real v : fitting) largest = std::max(largest, v);
  for (const Real v : fitting) total += std::exp(v - largest);
  return 0 - (largest + std::log(total));
}

/// Made of steps, for a program lists those.
Tensor ints(const Labels& values) {
  std::vector<Tensor> each{zeros({0}, {.dtype = int64})};
  for (const std::int64_t v : values) each.push_back(full({1}, v, {.dtype = int64}));
  return concat(each);
}

/// The targets as one tensor; what pads them is no class.
Tensor targets_of(const Case& c) {
  std::size_t most = 0;
  for (const Labels& labels : c.targets) most = std::max(most, labels.size());
  Labels all;
  for (const Labels& labels : c.targets) {
    all.insert(all.end(), labels.begin(), labels.end());
    if (c.padded) all.resize(all.size() + most - labels.size(), -9);
  }
  if (!c.padded) return ints(all);
  return reshape(ints(all), {static_cast<std::int64_t>(c.targets.size()), static_cast<std::int64_t>(most)});
}

Labels lengths_of(const Case& c) {
  Labels lengths;
  for (const Labels& labels : c.targets) lengths.push_back(static_cast<std::int64_t>(labels.size()));
  return lengths;
}

Sample sample_of(const Case& c) {
  const auto items = static_cast<std::int64_t>(c.targets.size());
  return {.attributes = c.what,
          .inputs = {{.shape = {c.steps, items, c.classes}, .domain = {.low = c.low, .high = c.high}}},
          .apply =
              [c](const Tensor& x) {
                return ctc_loss(x, targets_of(c), ints(c.input_lengths), ints(lengths_of(c)),
                                {.blank = c.blank});
              },
          .reference =
              [c](std::span<const Values> in) {
                return fill({static_cast<std::int64_t>(c.targets.size())},
                            [&](const Index& item) { return loss_of(in[0], c, item[0]); });
              },
          .nasty = false};
}

const OpSamples ctc_samples(OpId::ctc_loss, [](Op& op) {
  // Sums are taken in double and rounded once, but the loss may come near 0, from a log of the size of the
  // largest path's. Two rules: that of the kernel, in double, and the recorded one, whose sums are rounded
  // in another order; errors of a sum are magnified by its size, some ten.
  op.accuracy = {.ulps = 2, .floor = 8, .gradient_ulps = 16, .gradient_floor = 1};
  for (const Case& c : {
           Case{"padded", 4, 3, {{1, 2}, {2}}, {4, 3}},
           Case{"one after the other", 3, 3, {{2}, {}, {1, 2}}, {3, 2, 3}, 0, false},
           Case{"equal labels, blank last", 4, 3, {{1, 1}, {0, 1}}, {4, 4}, 2},
           Case{"no blank is needed", 2, 3, {{1, 2}}, {2}},
           Case{"without steps", 2, 2, {{}, {1}}, {0, 2}},
           Case{"no items", 2, 2, {}, {}, 0, false},
       })
    op.sample(sample_of(c));
  // Numerical derivatives would see a kink there: one path outweighs all others, or another.
  Sample far = sample_of({"far from probable", 3, 2, {{1}}, {3}, 0, true, -900, -100});
  far.derivatives = false;
  op.sample(far);
  Sample impossible = sample_of({"too long", 2, 3, {{1, 1}, {1}}, {2, 1}});
  impossible.derivatives = false;
  op.sample(impossible);

  const auto three = [](std::initializer_list<double> all) {
    return Values{.shape = {2, 1, 2}, .data = std::vector<Real>(all.begin(), all.end())};
  };
  const auto one_label = [](const Tensor& x) {
    return ctc_loss(x, tensor({1}, {.dtype = int64}), tensor({2}, {.dtype = int64}),
                    tensor({1}, {.dtype = int64}));
  };
  op.exact({"certain", {three({-inf, 0, 0, -inf})}, one_label, row({0}), {three({0, -1, -1, 0})}});
  op.exact({"not to be", {three({0, -inf, 0, -inf})}, one_label, row({inf}), {three({0, 0, 0, 0})}});
  op.exact({"NaN on no path",
            {Values{.shape = {1, 1, 3}, .data = {nan, 0, nan}}},
            [](const Tensor& x) {
              const Tensor one = ones({1}, {.dtype = int64});
              return ctc_loss(x, one, one, one);
            },
            row({0}),
            {Values{.shape = {1, 1, 3}, .data = {0, -1, 0}}}});
  op.exact({"NaN on a path", {three({nan, -1, -1, -1})}, one_label, row({nan})});

  const Tensor x = zeros({2, 2, 3});
  const auto of = [](const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); };
  const Tensor both = of({2, 2}), single = of({1, 1}), labels = of({{1}, {2}});
  op.throws<ShapeError>("log_probabilities must be [steps, n, classes]: got [2, 3]", [=] {
    return ctc_loss(zeros({2, 3}), labels, both, single);
  });
  op.throws<ShapeError>("input_lengths must be [2], one for each item of log_probabilities: got [1]",
                        [=] { return ctc_loss(x, labels, of({2}), single); });
  op.throws<ShapeError>("target_lengths must be [2], one for each item of log_probabilities: got []",
                        [=] { return ctc_loss(x, labels, both, of(1)); });
  op.throws<ShapeError>(
      "targets must be [2, most], padded, or one after the other in one dimension: got [1, 2]", [=] {
        return ctc_loss(x, of({{1, 2}}), both, single);
      });
  op.throws<ValueError>("blank must be one of the 3 classes: got 3",
                        [=] { return ctc_loss(x, labels, both, single, {.blank = 3}); });
  op.throws<ValueError>("input_lengths must be from 0 to 2: got 3 at [1]", [=] {
    return ctc_loss(x, labels, of({2, 3}), single);
  });
  op.throws<ValueError>("target_lengths must be from 0 to 1: got -1 at [0]", [=] {
    return ctc_loss(x, labels, both, of({-1, 1}));
  });
  op.throws<ValueError>("the sum of target_lengths must be the number of targets: 2 and 3", [=] {
    return ctc_loss(x, of({1, 2, 1}), both, single);
  });
  op.throws<ValueError>(
      "a label must be one of the 3 classes, and not blank, which is 0: label 0 of item 1 is 0", [=] {
        return ctc_loss(x, of({{1}, {0}}), both, single);
      });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return ctc_loss(x, zeros({2, 1}), both, single);
  });
});

}}  // namespace xtgrad::testing
