// Samples of joining.
#include <fmt/format.h>

#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

SampleReference joined(std::size_t axis) {
  return [axis](std::span<const Values> in) {
    Shape shape = in[0].shape;
    shape[axis] = 0;
    for (const Values& part : in) shape[axis] += part.shape[axis];
    Values out = fill(shape, [](const Index&) -> Real { return 0; });
    std::int64_t begin = 0;
    for (const Values& part : in) {
      for_each_index(part.shape, [&](Index index) {
        const Real value = part.at(index);
        index[axis] += begin;
        out.at(index) = value;
      });
      begin += part.shape[axis];
    }
    return out;
  };
}

const OpSamples concat_samples(OpId::concat, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const std::vector<Shape>& shapes, std::int64_t axis, std::size_t dim) {
    Sample sample{.attributes = fmt::format("axis={}", axis),
                  .apply = [axis](std::span<const Tensor> in) { return concat(in, axis); },
                  .reference = joined(dim)};
    for (const Shape& shape : shapes) {
      sample.linear_in.push_back(sample.inputs.size());
      sample.inputs.push_back({.shape = shape});
      sample.attributes.append(" ").append(to_string(shape));
    }
    op.sample(std::move(sample));
  };
  of({{2}, {3}}, 0, 0);
  of({{2, 2}, {2, 2}}, -1, 1);
  of({{2, 1, 2}, {2, 3, 2}, {2, 2, 2}}, 1, 1);
  of({{0, 2}, {2, 2}}, 0, 0);
  of({{1, 2}, {1, 0}}, 1, 1);
  op.throws<ValueError>("needs at least one tensor, got none",
                        [] { return concat(std::span<const Tensor>()); });
  op.throws<ShapeError>("0-d tensors have no axis to be joined along; stack makes a new one", [] {
    return concat({ones({}), ones({})});
  });
  op.throws<ShapeError>("shapes differ outside axis 0: tensor 0 is [2, 3], tensor 1 is [2, 4]", [] {
    return concat({ones({2, 3}), ones({2, 4})});
  });
  op.throws<ShapeError>("shapes differ outside axis 0: tensor 0 is [2, 3], tensor 1 is [2]", [] {
    return concat({ones({2, 3}), ones({2})});
  });
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0", [] {
    return concat({ones({2}), ones({2})}, 1);
  });
  op.throws<DtypeError>("dtypes differ: tensor 0 is float32, tensor 1 is float64; convert one with to()", [] {
    return concat({ones({2}), ones({2}, {.dtype = float64})});
  });
});

SampleReference stacked(std::size_t axis) {
  return [axis](std::span<const Values> in) {
    std::vector<std::int64_t> sizes(in[0].shape.begin(), in[0].shape.end());
    const auto place = static_cast<std::ptrdiff_t>(axis);
    sizes.insert(sizes.begin() + place, static_cast<std::int64_t>(in.size()));
    return fill(Shape(std::span<const std::int64_t>(sizes)), [&](Index index) {
      const Values& part = in[static_cast<std::size_t>(index[axis])];
      index.erase(index.begin() + place);
      return part.at(index);
    });
  };
}

const OpSamples stack_samples(OpId::stack, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, std::size_t count, std::int64_t axis, std::size_t dim) {
    Sample sample{.attributes = to_string(shape) + " axis=" + std::to_string(axis),
                  .inputs = std::vector<Input>(count, {.shape = shape}),
                  .apply = [axis](std::span<const Tensor> in) { return stack(in, axis); },
                  .reference = stacked(dim)};
    for (std::size_t i = 0; i < count; ++i) sample.linear_in.push_back(i);
    op.sample(std::move(sample));
  };
  of({}, 3, 0, 0);
  of({2, 3}, 2, 0, 0);
  of({2, 3}, 2, 1, 1);
  of({2, 3}, 3, -1, 2);
  of({0, 2}, 2, 1, 1);
  of({3}, 1, 0, 0);
  op.throws<ValueError>("needs at least one tensor, got none",
                        [] { return stack(std::span<const Tensor>()); });
  op.throws<ShapeError>("shapes differ: tensor 0 is [2], tensor 1 is [3]", [] {
    return stack({ones({2}), ones({3})});
  });
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [] {
    return stack({ones({2}), ones({2})}, 2);
  });
  op.throws<DtypeError>("dtypes differ: tensor 0 is float32, tensor 1 is float64; convert one with to()", [] {
    return stack({ones({2}), ones({2}, {.dtype = float64})});
  });
});

}}  // namespace xtgrad::v1::testing
