// Samples of operations that put the elements of a tensor in another order, or repeat them.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

std::int64_t modulo(std::int64_t a, std::int64_t n) { return (a % n + n) % n; }

const OpSamples flip_samples(OpId::flip, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const Axes& axes, const std::vector<std::size_t>& dims,
                        bool derivatives = true) {
    op.sample({.attributes = to_string(shape) + (axes.all() ? ", all" : ", axes " + to_string(axes.named())),
               .inputs = {{.shape = shape}},
               .apply = [axes](const Tensor& x) { return flip(x, axes); },
               .reference =
                   [dims](std::span<const Values> in) {
                     return fill(in[0].shape, [&](Index index) {
                       for (const std::size_t d : dims) index[d] = in[0].shape[d] - 1 - index[d];
                       return in[0].at(index);
                     });
                   },
               .linear_in = {0},
               .derivatives = derivatives});
  };
  of({5}, {0}, {0});
  of({2, 3}, {0}, {0});
  of({2, 3}, {-1}, {1});
  of({2, 3, 2}, {}, {0, 1, 2});
  of({2, 3, 2}, {0, 2}, {0, 2});
  of({0, 3}, {1}, {1});
  of({37, 131}, {1}, {1}, false);
  of({70000}, {0}, {0}, false);
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [] {
    return flip(ones({2, 3}), 2);
  });
  op.throws<ShapeError>("axis 1 is listed twice: axes are [1, -1], x is [2, 3]", [] {
    return flip(ones({2, 3}), {1, -1});
  });
});

const OpSamples roll_samples(OpId::roll, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::reshape};
  const auto of = [&op](const Shape& shape, const std::vector<std::int64_t>& shifts,
                        const std::vector<std::int64_t>& axes,
                        const std::vector<std::pair<std::size_t, std::int64_t>>& moves) {
    op.sample({.attributes = fmt::format("{}, shifts {}, axes {}", to_string(shape), to_string(Dims(shifts)),
                                         to_string(Dims(axes))),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return roll(x, shifts, axes); },
               .reference =
                   [moves](std::span<const Values> in) {
                     return fill(in[0].shape, [&](Index index) {
                       for (const auto& [d, shift] : moves)
                         index[d] = modulo(index[d] - shift, in[0].shape[d]);
                       return in[0].at(index);
                     });
                   },
               .linear_in = {0}});
  };
  of({5}, {2}, {0}, {{0, 2}});
  of({5}, {-1}, {0}, {{0, -1}});
  of({5}, {12}, {}, {{0, 12}});
  of({2, 3}, {1}, {-1}, {{1, 1}});
  of({3, 2}, {1, 1}, {0, 1}, {{0, 1}, {1, 1}});
  of({3, 4, 2}, {1, -3, 1}, {0, 1, 2}, {{0, 1}, {1, -3}, {2, 1}});
  of({4, 3}, {1, 2}, {0, 0}, {{0, 3}});
  op.sample({.attributes = "[2, 3], one shift of all elements",
             .inputs = {{.shape = {2, 3}}},
             .apply = [](const Tensor& x) { return roll(x, 4); },
             .reference =
                 [](std::span<const Values> in) {
                   Values out = in[0];
                   for (std::size_t i = 0; i < 6; ++i) out.data[(i + 4) % 6] = in[0].data[i];
                   return out;
                 },
             .linear_in = {0},
             .combined = true});
  op.throws<ValueError>("needs a shift for each axis, or one without axes: shifts are [1, 2], axes are [0]",
                        [] {
                          return roll(ones({2, 3}), {1, 2}, 0);
                        });
  op.throws<ValueError>("needs a shift for each axis, or one without axes: shifts are [1, 2], axes are []",
                        [] {
                          return roll(ones({2, 3}), {1, 2});
                        });
  op.throws<ShapeError>("axis 1 is out of range", [] { return roll(ones({3}), 1, 1); });
});

/// x laid out again and again; `counts` are as many as the result has axes.
SampleReference tiled(const std::vector<std::int64_t>& counts) {
  return [counts](std::span<const Values> in) {
    const std::size_t lead = counts.size() - in[0].shape.rank();
    Shape shape;
    for (std::size_t d = 0; d < counts.size(); ++d)
      shape.push_back(counts[d] * (d < lead ? 1 : in[0].shape[d - lead]));
    return fill(shape, [&](const Index& index) {
      Index source;
      for (std::size_t d = lead; d < counts.size(); ++d) source.push_back(index[d] % in[0].shape[d - lead]);
      return in[0].at(source);
    });
  };
}

const OpSamples tile_samples(OpId::tile, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const std::vector<std::int64_t>& counts,
                        const std::vector<std::int64_t>& all, bool derivatives = true) {
    op.sample({.attributes = to_string(shape) + " by " + to_string(Dims(counts)),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return tile(x, counts); },
               .reference = tiled(all),
               .linear_in = {0},
               .derivatives = derivatives});
  };
  of({3}, {2}, {2});
  of({2, 3}, {2}, {1, 2});
  of({2, 3}, {2, 1}, {2, 1});
  of({2}, {3, 2}, {3, 2});
  of({}, {2, 2}, {2, 2});
  of({2, 1, 2}, {2, 3, 2}, {2, 3, 2});
  of({1, 2, 1, 2}, {2, 2, 2, 2}, {2, 2, 2, 2});
  of({2, 1, 1, 1, 1, 2}, {2, 1, 2, 2, 2, 2}, {2, 1, 2, 2, 2, 2}, false);
  of({1, 1, 1, 1, 1, 1, 1, 2}, {2, 2, 2, 2, 2, 2, 1, 2}, {2, 2, 2, 2, 2, 2, 1, 2}, false);
  of({2, 3}, {}, {1, 1});
  of({2, 3}, {1, 0}, {1, 0});
  of({0, 2}, {2, 2}, {2, 2});
  op.throws<ValueError>("the counts must not be negative, got [2, -1]", [] {
    return tile(ones({3}), {2, -1});
  });
});

const OpSamples repeat_samples(OpId::repeat, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const std::vector<std::int64_t>& counts) {
    op.sample({.attributes = to_string(shape) + " by " + to_string(Dims(counts)),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return repeat(x, counts); },
               .reference = tiled(counts),
               .linear_in = {0}});
  };
  of({3}, {2});
  of({2, 3}, {1, 2});
  of({3}, {2, 2});
  op.throws<ShapeError>("needs a count for each axis: x is [2, 3], counts are [2]", [] {
    return repeat(ones({2, 3}), 2);
  });
  op.throws<ValueError>("the counts must not be negative, got [-1]", [] { return repeat(ones({3}), -1); });
});

SampleReference interleaved(std::size_t dim, const std::vector<std::int64_t>& counts) {
  return [=](std::span<const Values> in) {
    std::vector<std::int64_t> entries;
    for (std::size_t i = 0; i < counts.size(); ++i)
      entries.insert(entries.end(), static_cast<std::size_t>(counts[i]), static_cast<std::int64_t>(i));
    Shape shape = in[0].shape;
    shape[dim] = static_cast<std::int64_t>(entries.size());
    return fill(shape, [&](Index index) {
      index[dim] = entries[static_cast<std::size_t>(index[dim])];
      return in[0].at(index);
    });
  };
}

const OpSamples repeat_interleave_samples(OpId::repeat_interleave, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, std::int64_t count, std::int64_t axis, std::size_t dim) {
    op.sample({.attributes = fmt::format("{} by {}, axis {}", to_string(shape), count, axis),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return repeat_interleave(x, count, axis); },
               .reference =
                   interleaved(dim, std::vector<std::int64_t>(static_cast<std::size_t>(shape[dim]), count)),
               .linear_in = {0}});
  };
  of({3}, 2, 0, 0);
  of({2, 3}, 3, 1, 1);
  of({2, 3}, 2, -2, 0);
  of({2, 2, 2}, 2, 1, 1);
  of({3}, 1, 0, 0);
  of({3}, 0, 0, 0);
  of({0, 3}, 2, 1, 1);
  const auto by_counts = [&op](const Shape& shape, std::size_t dim, std::int64_t most, Dtype dtype) {
    op.sample({.attributes = fmt::format("{}, axis {}, each up to {} times, {}", to_string(shape), dim, most,
                                         to_string(dtype)),
               .inputs = {{.shape = shape}, index_input({shape[dim]}, 0, most + 1)},
               .apply =
                   [=](const Tensor& x, const Tensor& counts) {
                     return repeat_interleave(x, counts.to(dtype), static_cast<std::int64_t>(dim));
                   },
               .reference =
                   [dim](std::span<const Values> in) {
                     std::vector<std::int64_t> counts;
                     for (const Real count : in[1].data) counts.push_back(static_cast<std::int64_t>(count));
                     return interleaved(dim, counts)(in);
                   },
               .linear_in = {0},
               .decided = Decided::shape});
  };
  by_counts({3}, 0, 3, int64);
  by_counts({2, 3}, 1, 2, int32);
  by_counts({2, 2}, 0, 0, int64);
  op.throws<ValueError>("the count must not be negative, got -1",
                        [] { return repeat_interleave(ones({3}), -1); });
  op.throws<ValueError>("the counts must not be negative, got -2 at [1]", [] {
    return repeat_interleave(ones({2}), tensor({1, -2}, {.dtype = int64}));
  });
  op.throws<ShapeError>("needs a count for each entry: axis 0 of x has size 3, counts are [2]", [] {
    return repeat_interleave(ones({3}), tensor({1, 2}, {.dtype = int64}));
  });
  op.throws<DtypeError>("the counts must be int64 or int32, got float32; convert with to(int64)",
                        [] { return repeat_interleave(ones({2}), ones({2})); });
  op.throws<ShapeError>("axis 1 is out of range", [] { return repeat_interleave(ones({3}), 2, 1); });
});

const OpSamples meshgrid_samples(OpId::meshgrid, [](Op& op) {
  op.accepts = Accepts::everything;
  // Both grids, one after the other.
  const auto of = [&op](std::int64_t n, std::int64_t m, GridOrder order) {
    const bool is_xy = order == GridOrder::xy;
    const std::int64_t rows = is_xy ? m : n, columns = is_xy ? n : m;
    op.sample({.attributes = fmt::format("[{}] and [{}]{}", n, m, is_xy ? ", xy" : ""),
               .inputs = {{.shape = {n}}, {.shape = {m}}},
               .apply =
                   [=](const Tensor& a, const Tensor& b) {
                     return concat(meshgrid({a, b}, order));
                   },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill({2 * rows, columns}, [&](const Index& index) {
                       const bool is_second = index[0] >= rows;
                       const std::int64_t row = index[0] % rows;
                       return in[is_second ? 1 : 0].at({is_xy == is_second ? row : index[1]});
                     });
                   },
               .linear_in = {0, 1}});
  };
  of(2, 3, GridOrder::ij);
  of(2, 3, GridOrder::xy);
  of(2, 1, GridOrder::ij);
  of(0, 2, GridOrder::ij);
  op.sample({.attributes = "one",
             .inputs = {{.shape = {3}}},
             .apply = [](const Tensor& x) { return meshgrid({x}, GridOrder::xy)[0]; },
             .reference = [](std::span<const Values> in) { return in[0]; },
             .linear_in = {0}});
  op.sample({.attributes = "three, the last",
             .inputs = {{.shape = {2}}},
             .apply =
                 [](const Tensor& x) {
                   return meshgrid({ones({3}, {.dtype = x.dtype()}), ones({1}, {.dtype = x.dtype()}), x},
                                   GridOrder::xy)[2];
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return fill({1, 3, 2}, [&](const Index& index) { return in[0].at({index[2]}); });
                 },
             .linear_in = {0}});
  op.throws<ShapeError>("needs vectors: tensor 1 is [2, 2]", [] {
    return meshgrid({ones({2}), ones({2, 2})})[0];
  });
});

}}  // namespace xtgrad::testing
