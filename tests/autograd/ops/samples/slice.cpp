// Samples of cutting and filling up.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// x[first + step * i] along an axis, `count` of them.
struct Cut {
  std::size_t axis;
  std::int64_t first, step, count;
};

SampleReference cut(const Cut& cut) {
  return [cut](std::span<const Values> in) {
    Shape shape = in[0].shape;
    shape[cut.axis] = cut.count;
    return fill(shape, [&](Index index) {
      index[cut.axis] = cut.first + cut.step * index[cut.axis];
      return in[0].at(index);
    });
  };
}

const OpSamples slice_samples(OpId::slice, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const std::string& what, const Shape& shape, const SliceOptions& options,
                        const Cut& answer) {
    op.sample({.attributes = what,
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return slice(x, options); },
               .reference = cut(answer),
               .linear_in = {0}});
  };
  of("1:3", {5}, {.start = 1, .stop = 3}, {0, 1, 1, 2});
  of(":, 1:", {2, 3}, {.axis = 1, .start = 1}, {1, 1, 1, 2});
  of("::2", {5, 2}, {.step = 2}, {0, 0, 2, 3});
  of(":, 1::3", {2, 6, 2}, {.axis = 1, .start = 1, .step = 3}, {1, 1, 3, 2});
  of("-3:-1", {5}, {.axis = -1, .start = -3, .stop = -1}, {0, 2, 1, 2});
  of("1:99, clipped", {3}, {.start = 1, .stop = 99}, {0, 1, 1, 2});
  of("-99:2, clipped", {3}, {.start = -99, .stop = 2}, {0, 0, 1, 2});
  of("::99", {3}, {.step = 99}, {0, 0, 99, 1});
  of("2:1, nothing", {3}, {.start = 2, .stop = 1}, {0, 0, 1, 0});
  of("of nothing", {0, 3}, {.axis = 1, .stop = 2}, {1, 0, 1, 2});
  of("1:2", {1, 4}, {.axis = 1, .start = 1, .stop = 2}, {1, 1, 1, 1});
  op.throws<ValueError>("the step must be positive, got 0", [] { return slice(ones({3}), {.step = 0}); });
  op.throws<ValueError>("the step must be positive, got -1", [] { return slice(ones({3}), {.step = -1}); });
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return slice(ones({3}), {.axis = 1}); });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [] { return slice(ones({}), {}); });
});

const OpSamples slice_add_samples(OpId::slice_add, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = correctly_rounded, .signed_zeros = false};
  op.equal_gradients = true;  // of a slice that is all of x
  const auto of = [&op](const std::string& what, const Shape& shape, const SliceOptions& options,
                        const Cut& place) {
    Shape source = shape;
    source[place.axis] = place.count;
    op.sample({.attributes = what,
               .inputs = {{.shape = shape}, {.shape = source}},
               .apply = [options](const Tensor& x, const Tensor& y) { return slice_add(x, options, y); },
               .reference =
                   [place](std::span<const Values> in) {
                     Values out = in[0];
                     for_each_index(in[1].shape, [&](Index index) {
                       const Real value = in[1].at(index);
                       index[place.axis] = place.first + place.step * index[place.axis];
                       out.at(index) += value;
                     });
                     return out;
                   },
               .linear_in = {0, 1}});
  };
  of("1:3", {5}, {.start = 1, .stop = 3}, {0, 1, 1, 2});
  of("all", {3}, {}, {0, 0, 1, 3});
  of(":, 1::3", {2, 6, 2}, {.axis = 1, .start = 1, .step = 3}, {1, 1, 3, 2});
  of("-3:-1", {2, 5}, {.axis = -1, .start = -3, .stop = -1}, {1, 2, 1, 2});
  of("2:1, nothing", {3}, {.start = 2, .stop = 1}, {0, 0, 1, 0});
  of("of nothing", {0, 3}, {.axis = 1, .stop = 2}, {1, 0, 1, 2});
  op.throws<ShapeError>("source must have the shape of the slice: source is [3], the slice is [2]",
                        [] { return slice_add(ones({5}), {.stop = 2}, ones({3})); });
  op.throws<ValueError>("the step must be positive, got 0",
                        [] { return slice_add(ones({3}), {.step = 0}, ones({3})); });
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return slice_add(ones({3}), {.axis = 1}, ones({3})); });
});

SampleReference padded(const PadOptions& options, std::size_t axis) {
  return [options, axis](std::span<const Values> in) {
    Shape shape = in[0].shape;
    const std::int64_t n = shape[axis];
    shape[axis] = options.low + options.high + n + (n > 1 ? (n - 1) * options.interior : 0);
    Values out = fill(shape, [](const Index&) -> Real { return 0; });
    for_each_index(in[0].shape, [&](const Index& index) {
      Index target = index;
      target[axis] = options.low + index[axis] * (options.interior + 1);
      out.at(target) = in[0].at(index);
    });
    return out;
  };
}

const OpSamples pad_samples(OpId::pad, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto with = [&op](const std::string& what, const Shape& shape, const PadOptions& options,
                          std::size_t axis) {
    op.sample({.attributes = what,
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return pad(x, options); },
               .reference = padded(options, axis),
               .linear_in = {0}});
  };
  with("1 before, 2 after", {3}, {.low = 1, .high = 2}, 0);
  with("along 1", {2, 3}, {.axis = 1, .low = 2}, 1);
  with("1 between", {2, 3, 2}, {.axis = 1, .interior = 1}, 1);
  with("before, after, between", {4}, {.axis = -1, .low = 1, .high = 3, .interior = 2}, 0);
  with("one element", {1, 2}, {.axis = 0, .high = 1, .interior = 5}, 0);
  with("nothing", {0, 2}, {.axis = 0, .low = 1, .high = 1, .interior = 2}, 0);
  with("of nothing", {2, 0}, {.axis = 0, .low = 1}, 0);
  op.throws<ValueError>(
      "low, high and interior must not be negative, got -1, 0 and 0; slice removes elements",
      [] { return pad(ones({3}), {.low = -1}); });
  op.throws<ShapeError>("axis 3 is out of range: 2 dimensions have the axes -2 to 1", [] {
    return pad(ones({3, 3}), {.axis = 3, .low = 1});
  });
});

const OpSamples slice_scatter_samples(OpId::slice_scatter, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const std::string& what, const Shape& shape, const SliceOptions& options,
                        const Cut& place) {
    Shape source = shape;
    source[place.axis] = place.count;
    op.sample({.attributes = what,
               .inputs = {{.shape = shape}, {.shape = source}},
               .apply = [options](const Tensor& x, const Tensor& y) { return slice_scatter(x, options, y); },
               .reference =
                   [place](std::span<const Values> in) {
                     Values out = in[0];
                     for_each_index(in[1].shape, [&](Index index) {
                       const Real value = in[1].at(index);
                       index[place.axis] = place.first + place.step * index[place.axis];
                       out.at(index) = value;
                     });
                     return out;
                   },
               .linear_in = {0, 1}});
  };
  of("1:3", {5}, {.start = 1, .stop = 3}, {0, 1, 1, 2});
  of(":, 1::3", {2, 6, 2}, {.axis = 1, .start = 1, .step = 3}, {1, 1, 3, 2});
  of("-3:-1", {2, 5}, {.axis = -1, .start = -3, .stop = -1}, {1, 2, 1, 2});
  of("2:1, nothing", {3}, {.start = 2, .stop = 1}, {0, 0, 1, 0});
  of("of nothing", {0, 3}, {.axis = 1, .stop = 2}, {1, 0, 1, 2});
  op.exact(
      {.what = "what is replaced has no share, be it NaN",
       .inputs = {row({1, not_a_number, 3}), row({5})},
       .apply = [](const Tensor& x, const Tensor& y) { return slice_scatter(x, {.start = 1, .stop = 2}, y); },
       .value = row({1, 5, 3}),
       .gradients = {row({1, 0, 1}), row({1})}});
  op.throws<ShapeError>("source must have the shape of the slice: source is [3], the slice is [2]",
                        [] { return slice_scatter(ones({5}), {.stop = 2}, ones({3})); });
  op.throws<ValueError>("the step must be positive, got 0",
                        [] { return slice_scatter(ones({3}), {.step = 0}, ones({3})); });
  op.throws<DtypeError>("dtypes differ: x is float32, source is int64; convert one with to()",
                        [] { return slice_scatter(ones({3}), {}, ones({3}, {.dtype = int64})); });
});

/// Where an entry is: the axis and its place along it.
struct Entry {
  std::size_t axis;
  std::int64_t place;

  [[nodiscard]] Shape without(const Shape& x) const {
    Shape shape;
    for (std::size_t d = 0; d < x.rank(); ++d) {
      if (d != axis) shape.push_back(x[d]);
    }
    return shape;
  }
  [[nodiscard]] Index index(Index rest) const {
    rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(axis), place);
    return rest;
  }
};

const OpSamples select_samples(OpId::select, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::reshape, OpId::slice};
  const auto of = [&op](const Shape& shape, std::int64_t axis, std::int64_t index, const Entry& entry) {
    op.sample(
        {.attributes = to_string(shape) + ", axis " + std::to_string(axis) + ", " + std::to_string(index),
         .inputs = {{.shape = shape}},
         .apply = [=](const Tensor& x) { return select(x, axis, index); },
         .reference =
             [=](std::span<const Values> in) {
               return fill(entry.without(shape),
                           [&](const Index& rest) { return in[0].at(entry.index(rest)); });
             },
         .linear_in = {0}});
  };
  of({3}, 0, 1, {0, 1});
  of({2, 3}, 0, -1, {0, 1});
  of({2, 3}, -1, 0, {1, 0});
  of({2, 3, 2}, 1, -3, {1, 0});
  of({1, 2}, 0, 0, {0, 0});
  of({0, 2}, 1, 1, {1, 1});
  op.throws<ShapeError>("index 3 is out of range: axis 1 of [2, 3] has size 3", [] {
    return select(ones({2, 3}), 1, 3);
  });
  op.throws<ShapeError>("index -3 is out of range: axis 0 of [2, 3] has size 2", [] {
    return select(ones({2, 3}), 0, -3);
  });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [] { return select(ones({}), 0, 0); });
});

const OpSamples select_scatter_samples(OpId::select_scatter, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::slice_scatter};
  const auto of = [&op](const Shape& shape, std::int64_t axis, std::int64_t index, const Entry& entry) {
    op.sample(
        {.attributes = to_string(shape) + ", axis " + std::to_string(axis) + ", " + std::to_string(index),
         .inputs = {{.shape = shape}, {.shape = entry.without(shape)}},
         .apply = [=](const Tensor& x,
                      const Tensor& source) { return select_scatter(x, axis, index, source); },
         .reference =
             [=](std::span<const Values> in) {
               Values out = in[0];
               for_each_index(in[1].shape,
                              [&](const Index& rest) { out.at(entry.index(rest)) = in[1].at(rest); });
               return out;
             },
         .linear_in = {0, 1}});
  };
  of({3}, 0, 1, {0, 1});
  of({2, 3}, 0, -1, {0, 1});
  of({2, 3, 2}, 1, 0, {1, 0});
  of({0, 2}, 1, 1, {1, 1});
  op.throws<ShapeError>("source must have the shape of what it replaces: source is [2], that is [3]", [] {
    return select_scatter(ones({2, 3}), 0, 0, ones({2}));
  });
  op.throws<ShapeError>("index 2 is out of range: axis 0 of [2, 3] has size 2", [] {
    return select_scatter(ones({2, 3}), 0, 2, ones({3}));
  });
});

}}  // namespace xtgrad::testing
