// Samples of the operations on shapes.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// The same elements in the same order.
SampleReference reshaped(const Shape& shape) {
  return [shape](std::span<const Values> in) { return Values{shape, in[0].data}; };
}

SampleReference permuted(const std::vector<std::size_t>& order) {
  return [order](std::span<const Values> in) {
    Shape shape = in[0].shape;
    for (std::size_t d = 0; d < order.size(); ++d) shape[d] = in[0].shape[order[d]];
    return fill(shape, [&](const Index& index) {
      Index source(index.size());
      for (std::size_t d = 0; d < order.size(); ++d) source[order[d]] = index[d];
      return in[0].at(source);
    });
  };
}

SampleReference stretched(const Shape& shape) {
  return [shape](std::span<const Values> in) {
    return fill(shape, [&](const Index& index) { return in[0].at(broadcast_index(index, in[0].shape)); });
  };
}

SampleReference summed_to(const Shape& shape) {
  return [shape](std::span<const Values> in) {
    Values out = fill(shape, [](const Index&) -> Real { return 0; });
    for_each_index(in[0].shape,
                   [&](const Index& index) { out.at(broadcast_index(index, shape)) += in[0].at(index); });
    return out;
  };
}

const OpSamples alias_samples(OpId::alias, [](Op& op) {
  op.accepts = Accepts::everything;
  for (const Shape& shape : {Shape{2, 3}, Shape{}, Shape{0, 2}}) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape}},
               .apply = [](const Tensor& x) { return alias(x); },
               .reference = reshaped(shape),
               .linear_in = {0}});
  }
});

const OpSamples reshape_samples(OpId::reshape, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto to = [&op](const Shape& from, const std::vector<std::int64_t>& sizes, const Shape& shape) {
    op.sample({.attributes = to_string(from) + " to " + to_string(shape),
               .inputs = {{.shape = from}},
               .apply = [sizes](const Tensor& x) { return reshape(x, sizes); },
               .reference = reshaped(shape),
               .linear_in = {0}});
  };
  to({2, 3}, {3, 2}, {3, 2});
  to({2, 3, 4}, {4, -1}, {4, 6});
  to({6}, {2, 1, -1}, {2, 1, 3});
  to({}, {1, 1}, {1, 1});
  to({1}, {}, {});
  to({2, 0}, {0, 3, 7}, {0, 3, 7});
  const Tensor x = ones({2, 3});
  op.throws<ShapeError>("numbers of elements differ: x is [2, 3], which has 6, the shape is [4], which has 4",
                        [x] { return reshape(x, Shape{4}); });
  op.throws<ShapeError>(
      "no size in place of -1 fits: x is [2, 3], which has 6 elements, the shape is [-1, 4]", [x] {
        return reshape(x, std::vector<std::int64_t>{-1, 4});
      });
  op.throws<ShapeError>("at most one size can be -1, got [-1, -1]", [x] {
    return reshape(x, std::vector<std::int64_t>{-1, -1});
  });
  op.throws<ShapeError>("sizes must be -1 or not negative, got [-2, 3]", [x] {
    return reshape(x, std::vector<std::int64_t>{-2, 3});
  });
  op.throws<ShapeError>("-1 is ambiguous, since any size gives 0 elements: x is [0], the shape is [-1, 0]",
                        [] {
                          return reshape(ones({0}), std::vector<std::int64_t>{-1, 0});
                        });
});

const OpSamples permute_samples(OpId::permute, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto by = [&op](const Shape& from, const std::vector<std::int64_t>& order,
                        const std::vector<std::size_t>& dims, bool derivatives) {
    op.sample(
        {.attributes = to_string(from) + " by " + std::to_string(order[0]) + ", " + std::to_string(order[1]),
         .inputs = {{.shape = from}},
         .apply = [order](const Tensor& x) { return permute(x, order); },
         .reference = permuted(dims),
         .linear_in = {0},
         .derivatives = derivatives});
  };
  by({2, 3}, {1, 0}, {1, 0}, true);
  by({2, 3, 4}, {2, 0, 1}, {2, 0, 1}, true);
  by({2, 3, 4}, {1, -1, 0}, {1, 2, 0}, true);
  by({0, 3}, {-1, 0}, {1, 0}, true);
  by({61, 17}, {1, 0}, {1, 0}, false);
  by({2, 3, 2, 5}, {0, 2, 1, 3}, {0, 2, 1, 3}, false);
  const Tensor x = ones({2, 3});
  op.throws<ShapeError>("the order must name every dimension once: x is [2, 3], the order is [0]",
                        [x] { return permute(x, {0}); });
  op.throws<ShapeError>("the order must name every dimension once: x is [2, 3], the order is [1, 1]", [x] {
    return permute(x, {1, 1});
  });
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [x] {
    return permute(x, {0, 2});
  });
});

const OpSamples broadcast_to_samples(OpId::broadcast_to, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto to = [&op](const Shape& from, const Shape& shape, bool derivatives) {
    op.sample({.attributes = to_string(from) + " to " + to_string(shape),
               .inputs = {{.shape = from}},
               .apply = [shape](const Tensor& x) { return broadcast_to(x, shape); },
               .reference = stretched(shape),
               .linear_in = {0},
               .derivatives = derivatives});
  };
  to({3}, {2, 3}, true);
  to({2, 1}, {2, 4}, true);
  to({}, {2, 2}, true);
  to({1, 3, 1}, {2, 3, 4}, true);
  to({1}, {0}, true);
  to({2, 1}, {3, 2, 0}, true);
  to({17, 1}, {17, 61}, false);
  op.throws<ShapeError>(
      "the shape does not stretch: x is [2], the shape is [3]; sizes are aligned at the end, and only "
      "a 1 stretches",
      [] { return broadcast_to(ones({2}), {3}); });
});

const OpSamples sum_to_samples(OpId::sum_to, [](Op& op) {
  op.accepts = Accepts::numbers;
  // Summed in blocks or pairs: the errors of the additions in one chain stay few.
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  const auto to = [&op](const Shape& from, const Shape& shape, bool derivatives) {
    op.sample({.attributes = to_string(from) + " to " + to_string(shape),
               .inputs = {{.shape = from}},
               .apply = [shape](const Tensor& x) { return sum_to(x, shape); },
               .reference = summed_to(shape),
               .linear_in = {0},
               .derivatives = derivatives});
  };
  to({2, 3}, {3}, true);
  to({2, 4}, {2, 1}, true);
  to({2, 2}, {}, true);
  to({2, 3, 4}, {1, 3, 1}, true);
  to({0}, {1}, true);
  to({3, 2, 0}, {2, 1}, true);
  to({1037, 17}, {17}, false);
  to({17, 1037}, {17, 1}, false);
  op.throws<ShapeError>("the shape does not broadcast to x's: x is [2, 3], the shape is [2]", [] {
    return sum_to(ones({2, 3}), {2});
  });
});

const OpSamples transpose_samples(OpId::transpose, [](Op& op) {
  op.accepts = Accepts::everything;
  op.sample({.attributes = "last two",
             .inputs = {{.shape = {2, 3, 4}}},
             .apply = [](const Tensor& x) { return transpose(x); },
             .reference = permuted({0, 2, 1}),
             .linear_in = {0}});
  op.sample({.attributes = "0, -1",
             .inputs = {{.shape = {2, 3, 4}}},
             .apply = [](const Tensor& x) { return transpose(x, 0, -1); },
             .reference = permuted({2, 1, 0}),
             .linear_in = {0}});
  op.sample({.attributes = "empty",
             .inputs = {{.shape = {0, 3}}},
             .apply = [](const Tensor& x) { return transpose(x, 0, 1); },
             .reference = permuted({1, 0})});
  op.throws<ShapeError>("axis -2 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return transpose(ones({3})); });
});

const OpSamples flatten_samples(OpId::flatten, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto from = [&op](const Shape& shape, std::int64_t start, const Shape& result) {
    op.sample({.attributes = to_string(shape) + " from " + std::to_string(start),
               .inputs = {{.shape = shape}},
               .apply = [start](const Tensor& x) { return flatten(x, start); },
               .reference = reshaped(result),
               .linear_in = {0}});
  };
  from({2, 3, 4}, 0, {24});
  from({2, 3, 4}, 1, {2, 12});
  from({2, 3, 4}, -2, {2, 12});
  from({}, 0, {1});
  from({0, 3, 4}, 1, {0, 12});
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [] {
    return flatten(ones({2, 3}), 2);
  });
});

const OpSamples squeeze_samples(OpId::squeeze, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::reshape};
  const auto of = [&op](const Shape& from, const Axes& axes, const Shape& shape) {
    op.sample({.attributes = to_string(from) + (axes.all() ? ", all" : ", axes " + to_string(axes.named())),
               .inputs = {{.shape = from}},
               .apply = [axes](const Tensor& x) { return squeeze(x, axes); },
               .reference = reshaped(shape),
               .linear_in = {0}});
  };
  of({1, 2, 1, 3}, {}, {2, 3});
  of({1, 2}, Dims{}, {1, 2});
  of({1, 2, 1, 3}, {0}, {2, 1, 3});
  of({1, 2, 1, 3}, {-2, 0}, {2, 3});
  of({1, 1}, {}, {});
  of({2, 3}, {}, {2, 3});
  of({}, {}, {});
  of({0, 1}, {1}, {0});
  op.throws<ShapeError>("the axis must have size 1: axis 1 of [1, 2]", [] {
    return squeeze(ones({1, 2}), 1);
  });
  op.throws<ShapeError>("axis 0 is listed twice: axes are [0, -2]", [] {
    return squeeze(ones({1, 1}), {0, -2});
  });
  op.throws<ShapeError>("axis 1 is out of range", [] { return squeeze(ones({1}), 1); });
});

const OpSamples unsqueeze_samples(OpId::unsqueeze, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::reshape};
  const auto of = [&op](const Shape& from, const std::vector<std::int64_t>& axes, const Shape& shape) {
    op.sample({.attributes = to_string(from) + ", axes " + to_string(Dims(axes)),
               .inputs = {{.shape = from}},
               .apply = [axes](const Tensor& x) { return unsqueeze(x, axes); },
               .reference = reshaped(shape),
               .linear_in = {0}});
  };
  of({2, 3}, {0}, {1, 2, 3});
  of({2, 3}, {-1}, {2, 3, 1});
  of({2, 3}, {0, 2}, {1, 2, 1, 3});
  of({}, {0, 1}, {1, 1});
  of({0}, {1}, {0, 1});
  of({2}, {}, {2});
  op.throws<ShapeError>("axis 3 is out of range: 3 dimensions have the axes -3 to 2", [] {
    return unsqueeze(ones({2, 3}), 3);
  });
  op.throws<ShapeError>("at most 8 dimensions: x is [1, 1, 1, 1, 1, 1, 1], the new axes are [0, 1]", [] {
    return unsqueeze(ones({1, 1, 1, 1, 1, 1, 1}), {0, 1});
  });
  op.throws<ShapeError>("axis 1 is listed twice: axes are [1, -2]", [] {
    return unsqueeze(ones({2}), {1, -2});
  });
});

const OpSamples movedim_samples(OpId::movedim, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::permute};
  const auto of = [&op](const Shape& from, const std::vector<std::int64_t>& source,
                        const std::vector<std::int64_t>& destination, const std::vector<std::size_t>& order) {
    op.sample({.attributes =
                   to_string(from) + ", " + to_string(Dims(source)) + " to " + to_string(Dims(destination)),
               .inputs = {{.shape = from}},
               .apply = [=](const Tensor& x) { return movedim(x, source, destination); },
               .reference = permuted(order),
               .linear_in = {0}});
  };
  of({2, 3, 4}, {0}, {2}, {1, 2, 0});
  of({2, 3, 4}, {-1}, {0}, {2, 0, 1});
  of({2, 3, 4}, {0, 1}, {-1, -2}, {2, 1, 0});
  of({2, 1, 3, 2}, {3, 0}, {1, 2}, {1, 3, 0, 2});
  of({2, 3}, {}, {}, {0, 1});
  of({2, 3}, {1}, {1}, {0, 1});
  of({0, 3}, {0}, {1}, {1, 0});
  op.throws<ShapeError>("needs a destination for each axis: source is [0, 1], destination is [1]", [] {
    return movedim(ones({2, 3}), {0, 1}, 1);
  });
  op.throws<ShapeError>("axis 0 is listed twice: axes are [0, -2]", [] {
    return movedim(ones({2, 3}), {0, 1}, {0, -2});
  });
  op.throws<ShapeError>("axis 2 is out of range", [] { return movedim(ones({2, 3}), 2, 0); });
});

}}  // namespace xtgrad::testing
