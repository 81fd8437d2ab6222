// Samples of counts, and of places in sorted rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tests/autograd/ops/samples/reductions.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

Dtype to_int64(Dtype) { return int64; }

const OpSamples count_nonzero_samples(OpId::count_nonzero, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto fold = [](const std::vector<Real>& values) -> Real {
    return static_cast<Real>(std::count_if(values.begin(), values.end(), [](Real v) { return v != 0; }));
  };
  const Sample model{.inputs = {{.domain = {.low = 0, .high = 1.4, .whole = true}}}, .result = to_int64};
  reduction_samples(op, count_nonzero, fold, model, cases_with_and_without_elements());
  op.exact({"NaN is not 0, -0 is",
            {row({nan, -0.0, inf, 0})},
            [](const Tensor& x) { return count_nonzero(x); },
            scalar(2)});
});

const OpSamples bincount_samples(OpId::bincount, [](Op& op) {
  op.accepts = Accepts::everything;  // of the floating inputs, which it has not
  const auto of = [&](const Shape& shape, std::int64_t high, std::int64_t least) {
    op.sample({.attributes = fmt::format("{} least={}", to_string(shape), least),
               .inputs = {index_input(shape, 0, high)},
               .apply = [=](const Tensor& x) { return bincount(x, least); },
               .reference =
                   [=](std::span<const Values> in) {
                     Real bins = static_cast<Real>(least);
                     for (const Real v : in[0].data) bins = std::max(bins, v + 1);
                     return fill({static_cast<std::int64_t>(bins)}, [&](const Index& index) {
                       return static_cast<Real>(
                           std::count(in[0].data.begin(), in[0].data.end(), static_cast<Real>(index[0])));
                     });
                   },
               .result = to_int64,
               .decided = Decided::shape});
  };
  of({9}, 4, 0);
  of({5}, 4, 7);
  of({3, 4}, 3, 0);
  of({0}, 1, 0);
  of({}, 3, 2);
  of({1037}, 40, 0);
  op.throws<DtypeError>("needs integers, got float32; convert with to(int64)",
                        [] { return bincount(ones({2})); });
  op.throws<ValueError>("elements must be at least 0: got -2", [] {
    return bincount(tensor({1, -2}, {.dtype = int64}));
  });
  op.throws<ValueError>("least must be at least 0: got -1",
                        [] { return bincount(tensor({1}, {.dtype = int64}), -1); });
});

const OpSamples histc_samples(OpId::histc, [](Op& op) {
  op.accepts = Accepts::numbers;
  const auto of = [&](const Shape& shape, std::int64_t bins, double low, double high) {
    op.sample(
        {.attributes = fmt::format("{} bins={} of [{}, {}]", to_string(shape), bins, low, high),
         .inputs = {{.shape = shape}},
         .apply = [=](const Tensor& x) { return histc(x, {.bins = bins, .low = low, .high = high}); },
         .reference =
             [=](std::span<const Values> in) {
               return fill({bins}, [&](const Index& index) -> Real {
                 const auto end = [=](std::int64_t k) {
                   return static_cast<Real>(low) + static_cast<Real>(k) *
                                                       (static_cast<Real>(high) - static_cast<Real>(low)) /
                                                       static_cast<Real>(bins);
                 };
                 const std::int64_t k = index[0];
                 return static_cast<Real>(std::count_if(in[0].data.begin(), in[0].data.end(), [&](Real v) {
                   return v >= end(k) && (v < end(k + 1) || (k + 1 == bins && v == end(bins)));
                 }));
               });
             },
         .result = to_int64});
  };
  of({40}, 8, -2, 2);
  of({3, 7}, 5, -1.25, 1.25);
  of({0}, 2, 0, 1);
  of({}, 1, -2, 2);
  of({1037}, 16, -1, 2);
  op.exact({"of the range of x",
            {row({1, 5, 2, nan, 3, inf})},
            [](const Tensor& x) { return histc(x, {.bins = 4}); },
            row({1, 1, 1, 1})});
  op.exact(
      {"of one number", {row({3, 3})}, [](const Tensor& x) { return histc(x, {.bins = 2}); }, row({0, 2})});
  op.exact({"of none", {row({nan})}, [](const Tensor& x) { return histc(x, {.bins = 2}); }, row({0, 0})});
  op.throws<ValueError>("needs at least one bin: got 0", [] { return histc(ones({2}), {.bins = 0}); });
  op.throws<ValueError>("low must be less than high, and both finite: got 2 and 2",
                        [] { return histc(ones({2}), {.low = 2, .high = 2}); });
  op.throws<ValueError>("low must be less than high, and both finite: got none and inf",
                        [] { return histc(ones({2}), {.high = inf}); });
});

const OpSamples searchsorted_samples(OpId::searchsorted, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::sort};
  const auto of = [&](const Shape& sorted, const Shape& values, bool right) {
    op.sample(
        {.attributes =
             fmt::format("{} in {}{}", to_string(values), to_string(sorted), right ? ", right" : ""),
         .inputs = {{.shape = sorted, .domain = {.whole = true}},
                    {.shape = values, .domain = {.whole = true}}},
         .apply = [=](const Tensor& a, const Tensor& v) { return searchsorted(sort(a).values, v, right); },
         .reference =
             [=](std::span<const Values> in) {
               return fill(values, [&](const Index& index) -> Real {
                 const Real v = in[1].at(index);
                 Index row = sorted.rank() == 1 ? Index{0} : index;
                 Real count = 0;
                 for (row.back() = 0; row.back() < sorted.back(); ++row.back()) {
                   const Real s = in[0].at(row);
                   const bool less = s < v || (std::isnan(v) && !std::isnan(s));
                   const bool same = s == v || (std::isnan(v) && std::isnan(s));
                   count += less || (right && same) ? 1 : 0;
                 }
                 return count;
               });
             },
         .result = to_int64,
         .combined = true});
  };
  of({5}, {4}, false);
  of({5}, {2, 3}, true);
  of({5}, {}, false);
  of({2, 4}, {2, 3}, true);
  of({2, 3, 4}, {2, 3, 1}, false);
  of({0}, {3}, false);
  of({3}, {0}, false);
  of({100}, {1037}, true);
  op.throws<ShapeError>(
      "sorted must be [n], or have the dimensions of values but for the last one: sorted is [2, 3], values "
      "are [3]",
      [] {
        return searchsorted(ones({2, 3}), ones({3}));
      });
  op.throws<DtypeError>("dtypes differ: sorted is float32, values is float64",
                        [] { return searchsorted(ones({2}), ones({2}, {.dtype = float64})); });
});

/// Which of the three results: values are of x's dtype.
void unique_sample(Op& op, const Shape& shape, int part) {
  op.sample({.attributes = fmt::format("{}, part {}", to_string(shape), part),
             .inputs = {{.shape = shape, .domain = {.whole = true}}},
             .apply =
                 [=](const Tensor& x) {
                   const auto [values, inverse, counts] = unique(x);
                   return part == 0 ? values : part == 1 ? inverse : counts;
                 },
             .reference =
                 [=](std::span<const Values> in) {
                   const std::vector<Real>& x = in[0].data;
                   std::set<Real> numbers;
                   bool any_nan = false;
                   for (const Real v : x)
                     std::isnan(v) ? static_cast<void>(any_nan = true) : static_cast<void>(numbers.insert(v));
                   std::vector<Real> values(numbers.begin(), numbers.end());
                   if (any_nan) values.push_back(not_a_number);
                   const auto place = [&](Real v) -> std::int64_t {
                     for (std::size_t k = 0; k < values.size(); ++k) {
                       if (values[k] == v || (std::isnan(v) && std::isnan(values[k])))
                         return static_cast<std::int64_t>(k);
                     }
                     return -1;
                   };
                   const Shape few{static_cast<std::int64_t>(values.size())};
                   if (part == 0) return Values{few, values};
                   if (part == 1)
                     return fill(in[0].shape, [&](const Index& index) {
                       return static_cast<Real>(place(in[0].at(index)));
                     });
                   return fill(few, [&](const Index& index) {
                     return static_cast<Real>(
                         std::count_if(x.begin(), x.end(), [&](Real v) { return place(v) == index[0]; }));
                   });
                 },
             .result = part == 0 ? std::function<Dtype(Dtype)>() : to_int64,
             .decided = Decided::shape});
}

const OpSamples unique_samples(OpId::unique, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.signed_zeros = false};
  for (int part = 0; part < 3; ++part) {
    unique_sample(op, {9}, part);
    unique_sample(op, {3, 4}, part);
    unique_sample(op, {}, part);
    unique_sample(op, {0}, part);
    unique_sample(op, {2, 0}, part);
  }
});

}}  // namespace xtgrad::testing
