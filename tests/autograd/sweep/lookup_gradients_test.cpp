// Lookups in a large leaf that has a gradient add to it at the places that they have read, to the bits of a
// gradient of the leaf's size.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/autograd/threads.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;
using xtgrad::testing::values;

namespace {

using Loss = std::function<Tensor(const Tensor& table)>;

/// The index that takes whole rows.
Tensor rows(const std::vector<std::int64_t>& places, std::int64_t columns) {
  const auto n = static_cast<std::int64_t>(places.size());
  return broadcast_to(reshape(from_vector(places), {n, 1}), {n, columns});
}

/// Places that differ.
std::vector<std::int64_t> apart(std::int64_t n, std::int64_t first) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < n; ++i) places.push_back((first + i * 7919) % (1 << 15));
  return places;
}

/// A sum whose gradient has digits to lose, of which `seed` names one.
Tensor weighed(const Tensor& y, std::uint64_t seed) {
  Random random(seed);
  return sum(y * randn(y.shape(), random, {.dtype = y.dtype()}));
}

struct Added {
  Tensor gradient;
  bool is_whole;  // whether memory of the leaf's size was asked for
};

/// What backward of losses, one after the other, makes of a gradient that is there. `seen`: by a handle, and
/// then nothing is written into it.
Added add_up(const Shape& shape, Dtype dtype, const std::vector<Loss>& losses, bool seen) {
  Random random(5);
  Tensor table = randn(shape, random, {.dtype = dtype});
  table.set_requires_grad();
  table.set_grad(randn(shape, random, {.dtype = dtype}));
  bool is_whole = false;
  for (const Loss& loss : losses) {
    const Tensor y = loss(table);
    const Tensor handle = seen ? table.grad() : Tensor();
    const Tensor copy = seen ? handle * 1 : Tensor();
    reset_peak_memory();
    const std::int64_t before = memory_in_use();
    y.backward();
    const auto size = static_cast<std::int64_t>(item_size(dtype)) * table.numel();
    is_whole = is_whole || peak_memory() - before >= size;
    if (seen) CHECK(same_bits(handle, copy));
  }
  return {table.grad(), is_whole};
}

void check_same(const Shape& shape, const std::vector<Loss>& losses, bool is_whole) {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const Added want = add_up(shape, dtype, losses, true);
    const Added got = add_up(shape, dtype, losses, false);
    CHECK(want.is_whole);
    CHECK(got.is_whole == is_whole);
    CHECK(same_bits(got.gradient, want.gradient));
  }
}

const Shape tall{1 << 15, 16};

}  // namespace

TEST_CASE("a lookup of rows adds to these alone, also to those that it reads often") {
  check_same(tall, {[](const Tensor& w) { return weighed(gather(w, 0, rows(apart(32, 0), 16)), 1); }}, false);
  // A row three times, and one so often that its terms are summed with more digits.
  std::vector<std::int64_t> often = apart(20, 0);
  for (int i = 0; i < 100; ++i) often.push_back(i < 3 ? 5 : 77);
  check_same(tall, {[&](const Tensor& w) { return weighed(gather(w, 0, rows(often, 16)), 2); }}, false);
  // More lookups than four for each row that is read, of which one is read seldom.
  std::vector<std::int64_t> two(60, 3);
  for (int i = 0; i < 5; ++i) two.push_back(1 << 14);
  check_same(tall, {[&](const Tensor& w) { return weighed(gather(w, 0, rows(two, 16)), 3); }}, false);

  for (const std::vector<std::int64_t>& places : {apart(32, 0), often, two}) {
    const Tensor index = from_vector(places);
    check_same(tall, {[&](const Tensor& w) { return weighed(index_select(w, 0, index), 4); }}, false);
    check_same({16, 1 << 15}, {[&](const Tensor& w) { return weighed(index_select(w, 1, index), 5); }},
               false);
    check_same({8, 1 << 15, 3}, {[&](const Tensor& w) { return weighed(index_select(w, 1, index), 6); }},
               false);
  }
}

TEST_CASE("index_select is the gather of an index repeated along the other axes, derivatives included") {
  for (const Dtype dtype : {float32, float64}) {
    Random random(3);
    Tensor table = randn({300, 130}, random, {.dtype = dtype});
    table.set_requires_grad();
    std::vector<std::int64_t> places = {299, 0};
    for (int i = 0; i < 200; ++i) places.push_back(i % 9 == 0 ? 17 : i);
    const Tensor selected = index_select(table, 0, from_vector(places));
    const Tensor gathered = gather(table, 0, rows(places, 130));
    CHECK(same_bits(selected, gathered));
    CHECK(same_bits(grad(weighed(selected, 1), table), grad(weighed(gathered, 1), table)));
  }
}

TEST_CASE(
    "a lookup along any axis, narrower than the table or of single elements, adds to its places alone") {
  const Tensor index = tensor({{3, 3, 7}, {9, 3, 9}}, {.dtype = int64});
  check_same({16, 1 << 15}, {[&](const Tensor& w) { return weighed(gather(w, -1, index), 1); }}, false);
  check_same({16, 1 << 15}, {[&](const Tensor& w) { return weighed(gather(w, 0, index), 1); }}, false);
  check_same({1 << 15, 16}, {[&](const Tensor& w) { return weighed(gather(w, -2, index), 1); }}, false);
  const Tensor cube = tensor({{{1, 2}, {2, 2}, {4000, 1}}, {{0, 0}, {1, 2}, {9, 9}}}, {.dtype = int64});
  check_same({8, 4096, 16}, {[&](const Tensor& w) { return weighed(gather(w, 1, cube), 1); }}, false);
  const Tensor line = tensor({5, 5, 0, (1 << 19) - 1}, {.dtype = int32});
  check_same({1 << 19}, {[&](const Tensor& w) { return weighed(gather(w, 0, line), 1); }}, false);
}

TEST_CASE("several lookups of one leaf are added up first, in the order of the sweep") {
  const auto lookup = [](const Tensor& w, std::int64_t first, std::uint64_t seed) {
    return weighed(gather(w, 0, rows(apart(32, first), 16)), seed);
  };
  const auto piece = [](const Tensor& w, std::int64_t start, std::int64_t step, std::uint64_t seed) {
    return weighed(slice(w, {.start = start, .stop = start + 40, .step = step}), seed);
  };
  const Loss gathers = [&](const Tensor& w) {
    // The last two read rows of the first two.
    return lookup(w, 0, 1) + lookup(w, 7919, 2) + lookup(w, 0, 3) + lookup(w, 7919 * 3, 4);
  };
  const Loss slices = [&](const Tensor& w) {
    return piece(w, 8, 1, 5) + piece(w, 20, 3, 6) + piece(w, 21, 2, 7) + piece(w, 8, 1, 8);
  };
  const Loss mixed = [&](const Tensor& w) {
    const Tensor selected = index_select(w, 0, from_vector(apart(30, 10)));
    return weighed(selected, 6) + piece(w, 10, 1, 1) + lookup(w, 0, 2) + piece(w, 0, 2, 3) +
           lookup(w, 10, 4) + piece(w, 30, 1, 5);
  };
  check_same(tall, {gathers}, false);
  check_same(tall, {slices}, false);
  check_same(tall, {mixed}, false);
  check_same(tall, {gathers, slices, mixed, gathers}, false);
  // From lookups that were passed before they were made again.
  check_same(tall, {[&](const Tensor& w) {
               const auto part = [&](const Tensor& t) { return lookup(t, 3, 1) + piece(t, 3, 1, 2); };
               return checkpoint(part, w) + lookup(w, 0, 3);
             }},
             true);
  // Along two axes.
  check_same(tall, {[&](const Tensor& w) {
               return piece(w, 8, 1, 1) + weighed(slice(w, {.axis = 1, .stop = 1}), 2);
             }},
             true);
}

TEST_CASE("few parts of a leaf add to their places alone") {
  const auto part = [](const std::vector<Tensor>& parts, std::size_t k, std::uint64_t seed) {
    return weighed(parts[k], seed);
  };
  const Loss row = [&](const Tensor& w) { return part(unbind(w, 0), 77, 1); };
  const Loss rows_apart = [&](const Tensor& w) {
    const std::vector<Tensor> parts = unbind(w, 0);
    return part(parts, 5, 1) + part(parts, 4000, 2) + part(parts, 4001, 3) + part(parts, 5, 4);
  };
  const Loss column = [&](const Tensor& w) { return part(unbind(w, 1), 9, 1); };
  const Loss pieces = [&](const Tensor& w) {
    const std::vector<Tensor> parts = split(w, {7, 0, 100, 1 << 14, (1 << 14) - 107}, 0);
    return part(parts, 2, 1) + part(parts, 0, 2) + part(parts, 1, 3);
  };
  const Loss chunks = [&](const Tensor& w) { return part(chunk(w, 16, 1), 3, 1); };
  check_same(tall, {row}, false);
  check_same(tall, {rows_apart}, false);
  check_same(tall, {column}, false);
  check_same(tall, {pieces}, false);
  check_same(tall, {chunks}, false);
  check_same({4, 1 << 14, 16}, {[&](const Tensor& w) { return part(unbind(w, 1), 9, 1); }}, false);
  check_same(tall,
             {rows_apart, pieces, column,
              [&](const Tensor& w) {
                return row(w) + weighed(gather(w, 0, rows({77, 5, 77}, 16)), 5) + rows_apart(w) +
                       weighed(slice(w, {.start = 70, .stop = 80}), 6) + pieces(w);
              }},
             false);
  // Much of it is added up as a whole, and so are parts of no elements.
  check_same(tall, {[&](const Tensor& w) { return part(split(w, 1 << 14, 0), 1, 1); }}, true);
  check_same(tall, {[&](const Tensor& w) { return row(w) + weighed(sin(w), 2) + rows_apart(w); }}, true);
}

TEST_CASE("all parts of a tensor cost one pass over it, not one each") {
  Random random(1);
  const Tensor x = randn({100, 64}, random).set_requires_grad();
  const std::vector<std::function<std::vector<Tensor>(const Tensor&)>> cuts{
      [](const Tensor& t) { return unbind(t, 0); }, [](const Tensor& t) { return split(t, 1, 0); },
      [](const Tensor& t) { return chunk(t, 100, 0); }, [](const Tensor& t) { return unbind(t, 1); }};
  for (const auto& cut : cuts) {
    Tensor loss = zeros({});
    for (const Tensor& each : cut(x * 2)) loss = loss + sum(square(each));
    const StepList steps;
    loss.backward();
    // Steps with a whole result: the parts together, perhaps in another shape, and the rule of x * 2.
    std::istringstream lines(steps.text());
    std::string line;
    int whole = 0;
    while (std::getline(lines, line)) whole += line.ends_with("[100, 64]") ? 1 : 0;
    CAPTURE(steps.text());
    CHECK(whole >= 2);
    CHECK(whole <= 3);
  }
}

TEST_CASE("lookups beside other uses of a leaf are added up in the order of the sweep") {
  const auto lookup = [](const Tensor& w, std::int64_t first, std::uint64_t seed) {
    return weighed(gather(w, 0, rows(apart(32, first), 16)), seed);
  };
  const auto all = [](const Tensor& w, std::uint64_t seed) { return weighed(sin(w), seed); };
  using Make = std::function<Tensor(const Tensor&)>;
  const std::vector<Make> makes{
      [&](const Tensor& w) { return lookup(w, 0, 1); }, [&](const Tensor& w) { return all(w, 2); },
      [&](const Tensor& w) { return lookup(w, 7919, 3); },
      [&](const Tensor& w) { return weighed(slice(w, {.start = 4, .stop = 9}), 4); }};
  const std::vector<std::vector<std::size_t>> orders{{0, 1}, {1, 0}, {0, 1, 2}, {2, 0, 1, 3}, {1, 3, 0, 2}};
  for (const std::vector<std::size_t>& order : orders) {
    check_same(tall, {[&](const Tensor& w) {
                 Tensor loss = zeros({}, {.dtype = w.dtype()});
                 for (const std::size_t k : order) loss = loss + makes[k](w);
                 return loss;
               }},
               true);
  }
}

TEST_CASE("lookups of much of a leaf are added up as a whole") {
  std::vector<std::int64_t> many;
  for (std::int64_t i = 0; i < 1 << 13; ++i) many.push_back(i * 3);
  check_same(tall, {[&](const Tensor& w) { return weighed(gather(w, 0, rows(many, 16)), 1); }}, true);
  // Together.
  const std::vector<std::int64_t> some(many.begin(), many.begin() + 1200);
  check_same(tall, {[&](const Tensor& w) {
               Tensor loss = zeros({}, {.dtype = w.dtype()});
               for (std::uint64_t i = 0; i < 4; ++i) loss = loss + weighed(gather(w, 0, rows(some, 16)), i);
               return loss;
             }},
             true);
  // Few elements, but in rows of which each is wanted for another one.
  std::vector<std::int64_t> single;
  for (std::int64_t i = 0; i < 1 << 13; ++i) single.push_back(i * 3);
  const Tensor index = reshape(from_vector(single), {1 << 9, 16});
  check_same(tall, {[&](const Tensor& w) { return weighed(gather(w, 0, index), 1); }}, true);
  // A short axis that is read often is summed with more digits throughout.
  std::vector<std::int64_t> again;
  for (std::int64_t i = 0; i < 70; ++i) again.push_back(i % 9 == 0 ? 1 : i % 4);
  const Tensor short_index = reshape(from_vector(again), {70, 1});
  check_same({16, 1 << 15}, {[&](const Tensor& w) { return weighed(gather(w, 0, short_index), 1); }}, true);
}

TEST_CASE("lookups of nothing, and in nothing, change no bit of a gradient") {
  for (const Dtype dtype : {float32, float64}) {
    const auto check = [&](const Shape& shape, const Loss& loss) {
      Tensor table = ones(shape, {.dtype = dtype, .requires_grad = true});
      Random random(1);
      const Tensor start = randn(shape, random, {.dtype = dtype});
      table.set_grad(start * 1);
      loss(table).backward();
      CHECK(same_bits(table.grad(), start));
      table.clear_grad();
      loss(table).backward();
      REQUIRE(table.grad().defined());
      CHECK(same_bits(table.grad(), zeros(shape, {.dtype = dtype})));
    };
    const Loss none = [](const Tensor& w) { return sum(gather(w, 0, zeros({0, 16}, {.dtype = int64}))); };
    const Loss no_columns = [](const Tensor& w) {
      return sum(gather(w, 0, zeros({3, 0}, {.dtype = int64})));
    };
    const Loss no_slice = [](const Tensor& w) { return sum(slice(w, {.start = 5, .stop = 5})); };
    check(tall, none);
    check(tall, no_columns);
    check(tall, no_slice);
    check(tall, [&](const Tensor& w) { return none(w) + no_slice(w) + none(w) + no_slice(w); });
    check({0, 16}, none);
    check({1 << 15, 0}, [](const Tensor& w) { return sum(gather(w, 0, zeros({3, 0}, {.dtype = int64}))); });
  }
}

TEST_CASE("zeros of either sign are added as they are to a whole gradient, where lookups have read") {
  for (const Dtype dtype : {float32, float64}) {
    // Slices and gathers in either order, of which the second reads a row of its own.
    for (const bool slice_first : {false, true}) {
      const auto gradient = [&](bool seen) {
        Tensor w = ones(tall, {.dtype = dtype, .requires_grad = true});
        w.set_grad(full(tall, -0.0, {.dtype = dtype}));
        const auto cut = [&] { return sum(slice(w, {.start = 2, .stop = 5}) * -0.0); };
        const auto look = [&] { return sum(gather(w, 0, rows({4, 5}, 16)) * -0.0); };
        // The sweep comes to what was made last first.
        const Tensor last = slice_first ? look() : cut();
        const Tensor loss = last + (slice_first ? cut() : look());
        const Tensor handle = seen ? w.grad() : Tensor();
        loss.backward();
        return w.grad();
      };
      const Tensor got = gradient(false), want = gradient(true);
      CHECK(same_bits(slice(got, {.start = 2, .stop = 6}), slice(want, {.start = 2, .stop = 6})));
      CHECK(values(got) == values(want));
    }
  }
}

TEST_CASE("gradients of lookups have the same bits on any number of threads") {
  const Loss loss = [](const Tensor& w) {
    std::vector<std::int64_t> often = apart(200, 0);
    for (int i = 0; i < 100; ++i) often.push_back(i % 3);
    return weighed(gather(w, 0, rows(often, 16)), 1) + weighed(slice(w, {.stop = 300}), 2);
  };
  for (const Dtype dtype : {float32, float64}) {
    std::vector<Tensor> gradients;
    const int before = num_threads();
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      gradients.push_back(add_up(tall, dtype, {loss, loss}, false).gradient);
    }
    set_num_threads(before);
    CHECK(same_bits(gradients[0], gradients[1]));
    CHECK(same_bits(gradients[0], gradients[2]));
  }
}
