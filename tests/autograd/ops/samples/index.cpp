// Samples of gather, scatter_add, index_select and index_add.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// The place in x that an index entry at `place` points to.
Index pointed_to(const Index& place, std::size_t axis, const Values& index) {
  Index source = place;
  source[axis] = static_cast<std::int64_t>(index.at(place));
  return source;
}

/// Shapes of x and of the index, an axis, and whether it is counted from the end.
struct Case {
  Shape x, index;
  std::int64_t axis;
  std::size_t dim;
  bool derivatives = true;
};

std::vector<Case> cases() {
  return {{{4}, {6}, 0, 0},
          {{4}, {4}, 0, 0},
          {{3, 2}, {2, 2}, 0, 0},
          {{2, 3}, {2, 5}, 1, 1},
          {{2, 3, 2}, {1, 4, 2}, -2, 1},
          {{3, 2}, {0, 2}, 0, 0},
          {{2, 3}, {2, 0}, 1, 1},
          {{1}, {1}, 0, 0},
          {{1037}, {2049}, 0, 0, false},
          {{61, 17}, {61, 3}, 1, 1, false}};
}

std::string describe(const Case& c) {
  return "x " + to_string(c.x) + ", index " + to_string(c.index) + ", axis=" + std::to_string(c.axis);
}

const OpSamples gather_samples(OpId::gather, [](Op& op) {
  op.accepts = Accepts::everything;
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.x}, index_input(c.index, 0, c.x[c.dim])},
               .apply = [c](const Tensor& x, const Tensor& index) { return gather(x, c.axis, index); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(c.index, [&](const Index& place) {
                       return in[0].at(pointed_to(place, c.dim, in[1]));
                     });
                   },
               .linear_in = {0},
               .derivatives = c.derivatives});
  }
  op.exact({.what = "one element twice",
            .inputs = {row({5, 7}), row({1, 1, 1})},
            .apply = [](const Tensor& x, const Tensor& index) { return gather(x, 0, index); },
            .value = row({7, 7, 7}),
            .gradients = {row({0, 3})},
            .roles = {Role::floating, Role::index}});
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 2 at [0, 0], but axis 0 of x has size 2", [=] {
    return gather(x, 0, index_of({1, 1}, 2));
  });
  op.throws<ValueError>("the index is out of range: -1 at [0, 0], but axis 1 of x has size 3", [=] {
    return gather(x, 1, index_of({1, 1}, -1));
  });
  op.throws<ShapeError>("the index must have as many dimensions as x: x is [2, 3], the index is [2]",
                        [=] { return gather(x, 0, index_of({2}, 0)); });
  op.throws<ShapeError>("the index must be no larger than x outside axis 0: x is [2, 3], the index is [1, 4]",
                        [=] {
                          return gather(x, 0, index_of({1, 4}, 0));
                        });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return gather(x, 0, ones({1, 1}));
  });
  op.throws<ShapeError>("axis 2 is out of range", [=] { return gather(x, 2, index_of({1, 1}, 0)); });
});

const OpSamples scatter_add_samples(OpId::scatter_add, [](Op& op) {
  op.accepts = Accepts::numbers;
  // However many index entries name one place, they are added to it one by one.
  op.accuracy = {.by_magnitudes = true, .ulps_per_addition = correctly_rounded, .signed_zeros = false};
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.x}, index_input(c.index, 0, c.x[c.dim]), {.shape = c.index}},
               .apply = [c](const Tensor& x, const Tensor& index,
                            const Tensor& source) { return scatter_add(x, c.axis, index, source); },
               .reference =
                   [c](std::span<const Values> in) {
                     Values out = in[0];
                     for_each_index(c.index, [&](const Index& place) {
                       out.at(pointed_to(place, c.dim, in[1])) += in[2].at(place);
                     });
                     return out;
                   },
               .linear_in = {0, 2},
               .derivatives = c.derivatives});
  }
  op.exact({.what = "two to one place",
            .inputs = {row({1, 2}), row({1, 1}), row({10, 20})},
            .apply = [](const Tensor& x, const Tensor& index,
                        const Tensor& source) { return scatter_add(x, 0, index, source); },
            .value = row({1, 32}),
            .gradients = {row({1, 1}), row({1, 1})},
            .roles = {Role::floating, Role::index, Role::floating}});
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 3 at [0, 0], but axis 1 of x has size 3", [=] {
    return scatter_add(x, 1, index_of({1, 1}, 3), ones({1, 1}));
  });
  op.throws<ShapeError>("source and index must have one shape: source is [1, 2], index is [1, 1]", [=] {
    return scatter_add(x, 1, index_of({1, 1}, 0), ones({1, 2}));
  });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return scatter_add(x, 1, ones({1, 1}), ones({1, 1}));
  });
});

/// A shape of x, an axis, and how many entries are named along it.
struct Selection {
  Shape x;
  std::int64_t axis;
  std::size_t dim;
  std::int64_t n;
  bool derivatives = true;

  [[nodiscard]] Shape selected() const {
    Shape shape = x;
    shape[dim] = n;
    return shape;
  }
  [[nodiscard]] std::string text() const {
    return "x " + to_string(x) + ", axis=" + std::to_string(axis) + ", index [" + std::to_string(n) + "]";
  }
  [[nodiscard]] Index source(Index place, const Values& index) const {
    place[dim] = static_cast<std::int64_t>(index.at({place[dim]}));
    return place;
  }
};

std::vector<Selection> selections() {
  return {{{4}, 0, 0, 6},
          {{4}, 0, 0, 4},
          {{3, 2}, 0, 0, 5},
          {{3, 2}, 1, 1, 1},
          {{2, 3, 2}, -2, 1, 4},
          {{3, 2}, 0, 0, 0},
          {{0, 3}, 1, 1, 2},
          {{1}, 0, 0, 1},
          {{1037}, 0, 0, 2049, false},
          {{61, 131}, 0, 0, 90, false},
          {{3, 17, 70}, 1, 1, 40, false},
          {{61, 17}, 1, 1, 3, false}};
}

const OpSamples index_select_samples(OpId::index_select, [](Op& op) {
  op.accepts = Accepts::everything;
  for (const Selection& c : selections()) {
    op.sample({.attributes = c.text(),
               .inputs = {{.shape = c.x}, index_input({c.n}, 0, c.x[c.dim])},
               .apply = [c](const Tensor& x, const Tensor& index) { return index_select(x, c.axis, index); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(c.selected(),
                                 [&](const Index& place) { return in[0].at(c.source(place, in[1])); });
                   },
               .linear_in = {0},
               .derivatives = c.derivatives});
  }
  op.exact({.what = "one element twice",
            .inputs = {row({5, 7}), row({1, 1, 1})},
            .apply = [](const Tensor& x, const Tensor& index) { return index_select(x, 0, index); },
            .value = row({7, 7, 7}),
            .gradients = {row({0, 3})},
            .roles = {Role::floating, Role::index}});
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 2 at [0], but axis 0 of x has size 2",
                        [=] { return index_select(x, 0, index_of({1}, 2)); });
  op.throws<ValueError>("the index is out of range: -1 at [0], but axis 1 of x has size 3",
                        [=] { return index_select(x, 1, index_of({1}, -1)); });
  op.throws<ShapeError>("the index must be [n], it is [1, 1]", [=] {
    return index_select(x, 0, index_of({1, 1}, 0));
  });
  op.throws<ShapeError>("the index must be [n], it is []",
                        [=] { return index_select(x, 0, index_of({}, 0)); });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)",
                        [=] { return index_select(x, 0, ones({1})); });
  op.throws<ShapeError>("axis 2 is out of range", [=] { return index_select(x, 2, index_of({1}, 0)); });
});

const OpSamples index_add_samples(OpId::index_add, [](Op& op) {
  op.accepts = Accepts::numbers;
  // As scatter_add's.
  op.accuracy = {.by_magnitudes = true, .ulps_per_addition = correctly_rounded, .signed_zeros = false};
  for (const Selection& c : selections()) {
    op.sample({.attributes = c.text(),
               .inputs = {{.shape = c.x}, index_input({c.n}, 0, c.x[c.dim]), {.shape = c.selected()}},
               .apply = [c](const Tensor& x, const Tensor& index,
                            const Tensor& source) { return index_add(x, c.axis, index, source); },
               .reference =
                   [c](std::span<const Values> in) {
                     Values out = in[0];
                     for_each_index(c.selected(), [&](const Index& place) {
                       out.at(c.source(place, in[1])) += in[2].at(place);
                     });
                     return out;
                   },
               .linear_in = {0, 2},
               .derivatives = c.derivatives});
  }
  op.exact({.what = "two to one place",
            .inputs = {row({1, 2}), row({1, 1}), row({10, 20})},
            .apply = [](const Tensor& x, const Tensor& index,
                        const Tensor& source) { return index_add(x, 0, index, source); },
            .value = row({1, 32}),
            .gradients = {row({1, 1}), row({1, 1})},
            .roles = {Role::floating, Role::index, Role::floating}});
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ValueError>("the index is out of range: 3 at [0], but axis 1 of x has size 3", [=] {
    return index_add(x, 1, index_of({1}, 3), ones({2, 1}));
  });
  op.throws<ShapeError>(
      "source must be [2, 1], x's shape with an entry of axis 1 for each of the index: x is [2, 3], the "
      "index is [1], source is [1, 1]",
      [=] {
        return index_add(x, 1, index_of({1}, 0), ones({1, 1}));
      });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return index_add(x, 1, ones({1}), ones({2, 1}));
  });
});

const OpSamples take_samples(OpId::take, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::reshape, OpId::index_select};
  const auto of = [&op](const Shape& x, const Shape& index) {
    op.sample({.attributes = "x " + to_string(x) + ", index " + to_string(index),
               .inputs = {{.shape = x}, index_input(index, 0, x.numel())},
               .apply = [](const Tensor& a, const Tensor& places) { return take(a, places); },
               .reference =
                   [](std::span<const Values> in) {
                     return fill(in[1].shape, [&](const Index& place) {
                       return in[0].data[static_cast<std::size_t>(in[1].at(place))];
                     });
                   },
               .linear_in = {0}});
  };
  of({5}, {3});
  of({2, 3}, {4});
  of({2, 3}, {2, 2, 2});
  of({4}, {});
  of({}, {2});
  of({2, 3}, {0, 2});
  const Tensor x = ones({2, 3});
  op.throws<ValueError>("the index is out of range: 6 at [1], but axis 0 of x has size 6", [=] {
    return take(x, tensor({0, 6}, {.dtype = int64}));
  });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)",
                        [=] { return take(x, ones({1})); });
});

const OpSamples take_along_axis_samples(OpId::take_along_axis, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::gather};
  const auto of = [&op](const Shape& x, const Shape& index, std::int64_t axis, std::size_t dim,
                        const Shape& result) {
    op.sample(
        {.attributes = "x " + to_string(x) + ", index " + to_string(index),
         .inputs = {{.shape = x}, index_input(index, 0, x[dim])},
         .apply = [axis](const Tensor& a, const Tensor& places) { return take_along_axis(a, axis, places); },
         .reference =
             [=](std::span<const Values> in) {
               return fill(result, [&](const Index& place) {
                 Index source = place;
                 source[dim] = static_cast<std::int64_t>(in[1].at(broadcast_index(place, index)));
                 Index in_x = broadcast_index(source, x);
                 in_x[dim] = source[dim];
                 return in[0].at(in_x);
               });
             },
         .linear_in = {0}});
  };
  of({4}, {2}, 0, 0, {2});
  of({2, 3}, {2, 4}, 1, 1, {2, 4});
  of({2, 3}, {1, 2}, -1, 1, {2, 2});
  of({1, 3}, {2, 2}, 1, 1, {2, 2});
  of({3, 1, 2}, {2, 2, 1}, 0, 0, {2, 2, 2});
  of({3, 2}, {0, 1}, 0, 0, {0, 2});
  const Tensor x = ones({2, 3});
  const auto index_of = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ShapeError>("the index must have as many dimensions as x: x is [2, 3], the index is [2]",
                        [=] { return take_along_axis(x, 1, index_of({2}, 0)); });
  op.throws<ShapeError>("shapes do not broadcast: a is [2, 1], b is [3, 1]", [=] {
    return take_along_axis(x, 1, index_of({3, 1}, 0));
  });
  op.throws<ValueError>("the index is out of range: 3 at [0, 0], but axis 1 of x has size 3", [=] {
    return take_along_axis(x, 1, index_of({2, 1}, 3));
  });
  op.throws<DtypeError>("the index must be int64 or int32, got float32; convert with to(int64)", [=] {
    return take_along_axis(x, 1, ones({2, 1}));
  });
});

}}  // namespace xtgrad::testing
