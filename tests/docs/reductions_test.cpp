// The code of docs/operations/reductions_and_scans.md.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/functions/distance.h"
#include "xtgrad/autograd/functions/scan.h"
#include "xtgrad/autograd/functions/segment.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::message_of;

namespace {

std::vector<double> elements(const Tensor& x) {
  const Tensor wide = x.to(float64);
  const auto data = wide.data<double>();
  return {data.begin(), data.end()};
}

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("docs/operations/reductions_and_scans.md: sums and means") {
  Tensor x = tensor({{1, 2, 3}, {4, 6, 8}});
  Tensor total = sum(x);                                         // 24
  Tensor rows = mean(x, {.axes = {1}});                          // {2, 6}
  Tensor centred = x - mean(x, {.axes = {1}, .keepdim = true});  // {{-1, 0, 1}, {-2, 0, 2}}
  CHECK(total.item() == 24);
  CHECK(elements(rows) == Numbers{2, 6});
  CHECK(elements(centred) == Numbers{-1, 0, 1, -2, 0, 2});
}

TEST_CASE("docs/operations/reductions_and_scans.md: moments and norms") {
  Tensor x = tensor({{1, 2, 3}, {4, 6, 8}});
  Tensor spread = var(x, {.axes = {1}});                                     // {1, 4}
  Tensor biased = var(x, {.axes = {1}, .correction = 0});                    // {2/3, 8/3}
  auto [variance, average] = var_mean(x, {.axes = {1}});                     // {1, 4}, {2, 6}
  Tensor lengths = norm(x, {.axes = {0}, .keepdim = true});                  // [1, 3]
  Tensor largest = norm(x, {.p = std::numeric_limits<double>::infinity()});  // 8
  CHECK(elements(spread) == Numbers{1, 4});
  CHECK(elements(biased)[1] == doctest::Approx(8.0 / 3));
  CHECK(elements(variance) == Numbers{1, 4});
  CHECK(elements(average) == Numbers{2, 6});
  CHECK(lengths.shape() == Shape{1, 3});
  CHECK(elements(lengths)[0] == doctest::Approx(std::sqrt(17)));
  CHECK(largest.item() == 8);
}

TEST_CASE("docs/operations/reductions_and_scans.md: a deviation that may be 0") {
  const Tensor x = tensor({2, 2, 2}, {.requires_grad = true});
  Tensor deviation = sqrt(var(x) + 1e-6);
  CHECK(elements(grad({deviation}, {x})[0]) == Numbers{0, 0, 0});
  CHECK(std::isnan(elements(grad({stddev(x)}, {x})[0])[0]));
}

TEST_CASE("docs/operations/reductions_and_scans.md: order statistics") {
  Tensor x = tensor({{5, 1, 3, 2}, {0, 0, 7, 4}});
  auto [middle, place] = median(x, 1);                                 // {2, 0}, {3, 0}
  Tensor upper = quantile(x, 0.75, {.axes = {1}});                     // {3.5, 4.75}
  Tensor several = quantile(x, std::vector{0.1, 0.9}, {.axes = {1}});  // [2, 2]
  auto [frequent, first] = mode(x, 1);                                 // {1, 0}, {1, 0}
  CHECK(elements(middle) == Numbers{2, 0});
  CHECK(elements(place) == Numbers{3, 0});
  CHECK(elements(upper) == Numbers{3.5, 4.75});
  CHECK(several.shape() == Shape{2, 2});
  CHECK(elements(frequent) == Numbers{1, 0});
  CHECK(elements(first) == Numbers{1, 0});
}

TEST_CASE("docs/operations/reductions_and_scans.md: order") {
  Tensor x = tensor({{5, 1, 3, 2}, {0, 0, 7, 4}});
  auto [largest, where_largest] = max(x, 1);   // {5, 7}, {0, 2}
  auto [ordered, order] = sort(x);             // {{1, 2, 3, 5}, {0, 0, 4, 7}}, {{1, 3, 2, 0}, {0, 1, 3, 2}}
  auto [best, places] = topk(x, 2);            // {{5, 3}, {7, 4}}, {{0, 2}, {2, 3}}
  Tensor same = take_along_axis(x, 1, order);  // `ordered` again
  CHECK(elements(largest) == Numbers{5, 7});
  CHECK(elements(where_largest) == Numbers{0, 2});
  CHECK(elements(min(x, 1).indices) == Numbers{1, 0});
  CHECK(elements(ordered) == Numbers{1, 2, 3, 5, 0, 0, 4, 7});
  CHECK(elements(order) == Numbers{1, 3, 2, 0, 0, 1, 3, 2});
  CHECK(elements(best) == Numbers{5, 3, 7, 4});
  CHECK(elements(places) == Numbers{0, 2, 2, 3});
  CHECK(elements(same) == elements(ordered));
}

TEST_CASE("docs/operations/reductions_and_scans.md: errors") {
  const Tensor x = ones({2, 3});
  CHECK(message_of([&] { return sum(x, {.axes = {2}}); }) ==
        "sum: axis 2 is out of range: 2 dimensions have the axes -2 to 1");
  CHECK(message_of([&] {
          return amax(zeros({2, 0}), {.axes = {1}});
        }) == "amax: no elements to choose from: x is [2, 0], axes=[1]");
  CHECK(message_of([&] { return topk(x, 4); }) ==
        "topk: k must be from 0 to the size of the axis: k is 4, axis 1 of x has size 3");
}

TEST_CASE("docs/operations/reductions_and_scans.md: scans") {
  Tensor x = tensor({1, 2, 3, 4});
  Tensor sums = cumsum(x);                           // {1, 3, 6, 10}
  Tensor before = cumsum(x, {.exclusive = true});    // {0, 1, 3, 6}
  Tensor rest = cumprod(x, {.reverse = true});       // {24, 24, 12, 4}
  auto [best, when] = cummax(tensor({2, 5, 1, 5}));  // {2, 5, 5, 5}, {0, 1, 1, 1}
  CHECK(elements(sums) == Numbers{1, 3, 6, 10});
  CHECK(elements(before) == Numbers{0, 1, 3, 6});
  CHECK(elements(rest) == Numbers{24, 24, 12, 4});
  CHECK(elements(best) == Numbers{2, 5, 5, 5});
  CHECK(elements(when) == Numbers{0, 1, 1, 1});
}

TEST_CASE("docs/operations/reductions_and_scans.md: segments and counts") {
  Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}});
  Tensor ids = tensor({2, 0, 2}, {.dtype = int64});
  Tensor totals = segment_sum(x, ids, 3);                              // {{3, 4}, {0, 0}, {6, 8}}
  Tensor means = segment_mean(x, ids, 3);                              // {{3, 4}, {0, 0}, {3, 4}}
  Tensor sizes = bincount(ids, 3);                                     // {1, 0, 2}
  Tensor bins = histc(x, {.bins = 2, .low = 0, .high = 6});            // {2, 4}
  Tensor places = searchsorted(tensor({1, 2, 3}), tensor({0, 2, 9}));  // {0, 1, 3}
  auto [values, inverse, counts] = unique(tensor({3, 1, 3}));          // {1, 3}, {1, 0, 1}, {1, 2}
  CHECK(elements(totals) == Numbers{3, 4, 0, 0, 6, 8});
  CHECK(elements(means) == Numbers{3, 4, 0, 0, 3, 4});
  CHECK(elements(sizes) == Numbers{1, 0, 2});
  CHECK(elements(bins) == Numbers{2, 4});
  CHECK(elements(places) == Numbers{0, 1, 3});
  CHECK(elements(values) == Numbers{1, 3});
  CHECK(elements(inverse) == Numbers{1, 0, 1});
  CHECK(elements(counts) == Numbers{1, 2});
}

TEST_CASE("docs/operations/reductions_and_scans.md: distances") {
  Tensor points = tensor({{0, 0}, {3, 4}}, {.requires_grad = true});
  Tensor distances = cdist(points, points);  // {{0, 5}, {5, 0}}
  sum(distances).backward();                 // finite: equal points have the gradient 0
  CHECK(elements(distances) == Numbers{0, 5, 5, 0});
  CHECK(elements(points.grad())[0] == doctest::Approx(-1.2));
}
