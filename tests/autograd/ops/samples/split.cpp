// Samples of operations that cut a tensor into several: each piece alone, and all together.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

using Cutter = std::function<std::vector<Tensor>(const Tensor&)>;

/// Where the pieces lie along an axis, and whether they keep it.
struct Pieces {
  std::size_t axis;
  std::vector<std::int64_t> sizes;
  bool keep = true;
};

Values piece_of(const Values& x, const Pieces& pieces, std::size_t k) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < k; ++i) first += pieces.sizes[i];
  Shape whole = x.shape;
  whole[pieces.axis] = pieces.sizes[k];
  Values piece = fill(whole, [&](Index index) {
    index[pieces.axis] += first;
    return x.at(index);
  });
  if (pieces.keep) return piece;
  piece.shape = {};
  for (std::size_t d = 0; d < whole.rank(); ++d) {
    if (d != pieces.axis) piece.shape.push_back(whole[d]);
  }
  return piece;
}

/// All pieces in one row, piece k times k + 1: no two of them may be exchanged.
Tensor weighted_row(const std::vector<Tensor>& pieces) {
  std::vector<Tensor> rows;
  for (std::size_t k = 0; k < pieces.size(); ++k)
    rows.push_back(reshape(pieces[k], {-1}) * static_cast<double>(k + 1));
  return concat(rows);
}

void add_pieces(Op& op, const std::string& what, const Shape& shape, const Pieces& pieces,
                const Cutter& cutter) {
  for (std::size_t k = 0; k < pieces.sizes.size(); ++k) {
    op.sample({.attributes = fmt::format("{} {}, part {}", to_string(shape), what, k),
               .inputs = {{.shape = shape}},
               .apply = [cutter, k](const Tensor& x) { return cutter(x)[k]; },
               .reference = [pieces, k](std::span<const Values> in) { return piece_of(in[0], pieces, k); },
               .linear_in = {0}});
  }
  if (shape.numel() == 0) return;  // reshape does not find out the size of a row of nothing
  op.sample({.attributes = fmt::format("{} {}, all parts", to_string(shape), what),
             .inputs = {{.shape = shape, .domain = {.whole = true}}},
             .apply = [cutter](const Tensor& x) { return weighted_row(cutter(x)); },
             .reference =
                 [pieces](std::span<const Values> in) {
                   Values row{{0}, {}};
                   for (std::size_t k = 0; k < pieces.sizes.size(); ++k) {
                     for (const Real value : piece_of(in[0], pieces, k).data)
                       row.data.push_back(value * static_cast<Real>(k + 1));
                   }
                   row.shape[0] = static_cast<std::int64_t>(row.data.size());
                   return row;
                 },
             .linear_in = {0},
             .integers = false,
             .nasty = false,
             .combined = true});
}

const OpSamples split_samples(OpId::split, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto by_size = [&](const Shape& shape, std::int64_t size, std::int64_t axis, const Pieces& pieces) {
    add_pieces(op, fmt::format("by {}, axis={}", size, axis), shape, pieces,
               [=](const Tensor& x) { return split(x, size, axis); });
  };
  const auto into = [&](const Shape& shape, std::int64_t axis, const Pieces& pieces) {
    add_pieces(op, fmt::format("into sizes, axis={}", axis), shape, pieces,
               [=](const Tensor& x) { return split(x, pieces.sizes, axis); });
  };
  by_size({5}, 2, 0, {0, {2, 2, 1}});
  by_size({2, 3, 2}, 1, 1, {1, {1, 1, 1}});
  by_size({2, 4}, 4, -1, {1, {4}});
  by_size({3}, 99, 0, {0, {3}});
  by_size({0, 2}, 3, 0, {0, {0}});
  by_size({2, 0}, 1, 0, {0, {1, 1}});
  into({6, 2}, 0, {0, {1, 0, 3, 2}});
  into({2, 3}, -1, {1, {2, 1}});
  op.throws<ShapeError>("the sizes must add up to the axis: they add up to 4, axis 0 of x has size 5", [] {
    return split(ones({5}), {1, 3});
  });
  op.throws<ShapeError>("the sizes must add up to the axis: they add up to 0, axis 0 of x has size 5",
                        [] { return split(ones({5}), std::vector<std::int64_t>{}); });
  op.throws<ShapeError>("the sizes must add up to the axis: they overflow, axis 0 of x has size 5", [] {
    return split(ones({5}), {std::numeric_limits<std::int64_t>::max(), 1});
  });
  op.throws<ValueError>("sizes must not be negative, got -1", [] { return split(ones({5}), {6, -1}); });
  op.throws<ValueError>("the size must be at least 1, got 0", [] { return split(ones({5}), 0); });
  op.throws<ShapeError>("axis 1 is out of range: 1 dimensions have the axes -1 to 0",
                        [] { return split(ones({5}), 1, 1); });
});

const OpSamples chunk_samples(OpId::chunk, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::split};
  const auto into = [&](const Shape& shape, std::int64_t count, std::int64_t axis, const Pieces& pieces) {
    add_pieces(op, fmt::format("into {}, axis={}", count, axis), shape, pieces,
               [=](const Tensor& x) { return chunk(x, count, axis); });
  };
  into({6}, 3, 0, {0, {2, 2, 2}});
  into({2, 7}, 3, 1, {1, {3, 3, 1}});
  into({5}, 4, 0, {0, {2, 2, 1}});
  into({2}, 5, -1, {0, {1, 1}});
  into({0}, 2, 0, {0, {0}});
  op.throws<ValueError>("the count must be at least 1, got 0", [] { return chunk(ones({5}), 0); });
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes",
                        [] { return chunk(ones({}), 1); });
});

const OpSamples unbind_samples(OpId::unbind, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto along = [&](const Shape& shape, std::int64_t axis, std::size_t dim) {
    const Pieces pieces{dim, std::vector<std::int64_t>(static_cast<std::size_t>(shape[dim]), 1), false};
    add_pieces(op, fmt::format("axis={}", axis), shape, pieces,
               [=](const Tensor& x) { return unbind(x, axis); });
  };
  along({3}, 0, 0);
  along({3, 2}, 0, 0);
  along({2, 4}, -1, 1);
  along({2, 3, 2}, 1, 1);
  along({1, 2}, 0, 0);
  along({2, 0}, 0, 0);
  op.throws<ShapeError>("axis 0 is out of range: a 0-d tensor has no axes", [] { return unbind(ones({})); });
});

}}  // namespace xtgrad::testing
