// Samples of diagonals and triangles.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/diagonal.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Options with axes that count from the front.
struct Place {
  std::size_t rows, columns;
  std::int64_t offset;

  [[nodiscard]] std::int64_t length(const Shape& x) const {
    return std::max<std::int64_t>(0, std::min({x[rows] - std::max<std::int64_t>(0, -offset),
                                               x[columns] - std::max<std::int64_t>(0, offset)}));
  }
  /// In the matrices, of an element of the diagonals.
  [[nodiscard]] Index source(const Index& place, std::size_t rank) const {
    Index index(rank);
    std::size_t k = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      if (d != rows && d != columns) index[d] = place[k++];
    }
    index[rows] = place[k] + std::max<std::int64_t>(0, -offset);
    index[columns] = place[k] + std::max<std::int64_t>(0, offset);
    return index;
  }
  [[nodiscard]] Shape diagonals(const Shape& x) const {
    Shape shape;
    for (std::size_t d = 0; d < x.rank(); ++d) {
      if (d != rows && d != columns) shape.push_back(x[d]);
    }
    shape.push_back(length(x));
    return shape;
  }
};

SampleReference taken(const Place& place) {
  return [place](std::span<const Values> in) {
    return fill(place.diagonals(in[0].shape),
                [&](const Index& index) { return in[0].at(place.source(index, in[0].shape.rank())); });
  };
}

SampleReference put(const Place& place, const Shape& matrices) {
  return [=](std::span<const Values> in) {
    Values out = fill(matrices, [](const Index&) -> Real { return 0; });
    for_each_index(in[0].shape, [&](const Index& index) {
      out.at(place.source(index, matrices.rank())) = in[0].at(index);
    });
    return out;
  };
}

std::string text_of(const Shape& shape, const DiagonalOptions& o) {
  return fmt::format("{}, offset {}, axes {} and {}", to_string(shape), o.offset, o.axis1, o.axis2);
}

const OpSamples diagonal_samples(OpId::diagonal, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const DiagonalOptions& options, const Place& place) {
    op.sample({.attributes = text_of(shape, options),
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return diagonal(x, options); },
               .reference = taken(place),
               .linear_in = {0}});
  };
  of({3, 3}, {}, {0, 1, 0});
  of({2, 4}, {.offset = 1}, {0, 1, 1});
  of({4, 2}, {.offset = -1}, {0, 1, -1});
  of({2, 3, 4}, {}, {1, 2, 0});
  of({2, 3, 4}, {.offset = -1, .axis1 = 0, .axis2 = 1}, {0, 1, -1});
  of({2, 3, 4}, {.axis1 = 2, .axis2 = 0}, {2, 0, 0});
  of({2, 3}, {.offset = 3}, {0, 1, 3});
  of({2, 3}, {.offset = -99}, {0, 1, -2});
  of({0, 3}, {}, {0, 1, 0});
  of({0, 2, 2}, {}, {1, 2, 0});
  op.throws<ShapeError>("needs matrices [..., n, m]: x is [3]", [] { return diagonal(ones({3})); });
  op.throws<ShapeError>("axis1 and axis2 must differ, both are 1", [] {
    return diagonal(ones({3, 3}), {.axis1 = 1});
  });
  op.throws<ShapeError>("axis 2 is out of range", [] { return diagonal(ones({3, 3}), {.axis2 = 2}); });
});

const OpSamples diag_embed_samples(OpId::diag_embed, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const DiagonalOptions& options, const Place& place,
                        const Shape& matrices) {
    op.sample({.attributes = text_of(shape, options),
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return diag_embed(x, options); },
               .reference = put(place, matrices),
               .linear_in = {0}});
  };
  of({3}, {}, {0, 1, 0}, {3, 3});
  of({2}, {.offset = 1}, {0, 1, 1}, {3, 3});
  of({2}, {.offset = -2}, {0, 1, -2}, {4, 4});
  of({2, 3}, {}, {1, 2, 0}, {2, 3, 3});
  of({2, 3}, {.axis1 = 0, .axis2 = 2}, {0, 2, 0}, {3, 2, 3});
  of({2, 2}, {.offset = 1, .axis1 = 2, .axis2 = 0}, {2, 0, 1}, {3, 2, 3});
  of({0}, {.offset = 1}, {0, 1, 1}, {1, 1});
  of({0, 2}, {}, {1, 2, 0}, {0, 2, 2});
  op.throws<ShapeError>("needs from 1 to 7 dimensions: x is []", [] { return diag_embed(ones({})); });
  op.throws<ShapeError>("axis1 and axis2 must differ, both are 1",
                        [] { return diag_embed(ones({3}), {.axis1 = -1}); });
});

const OpSamples diag_samples(OpId::diag, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, std::int64_t offset, const SampleReference& reference) {
    op.sample({.attributes = to_string(shape) + ", offset " + std::to_string(offset),
               .inputs = {{.shape = shape}},
               .apply = [offset](const Tensor& x) { return diag(x, offset); },
               .reference = reference,
               .linear_in = {0}});
  };
  of({3}, 0, put({0, 1, 0}, {3, 3}));
  of({2}, -1, put({0, 1, -1}, {3, 3}));
  of({2, 3}, 0, taken({0, 1, 0}));
  of({2, 3}, 1, taken({0, 1, 1}));
  op.throws<ShapeError>("needs a vector or a matrix: x is [1, 1, 1]", [] { return diag(ones({1, 1, 1})); });
});

const OpSamples trace_samples(OpId::trace, [](Op& op) {
  op.accepts = Accepts::numbers;
  op.parts = {OpId::sum};
  // A sum, whose terms can cancel.
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  const auto of = [&op](const Shape& shape, const DiagonalOptions& options, const Place& place) {
    op.sample({.attributes = text_of(shape, options),
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return trace(x, options); },
               .reference =
                   [place](std::span<const Values> in) {
                     const Values diagonals = taken(place)(in);
                     Shape shape_of_sums;
                     for (std::size_t d = 0; d + 1 < diagonals.shape.rank(); ++d)
                       shape_of_sums.push_back(diagonals.shape[d]);
                     Values out = fill(shape_of_sums, [](const Index&) -> Real { return 0; });
                     for_each_index(diagonals.shape, [&](const Index& index) {
                       out.at({index.begin(), index.end() - 1}) += diagonals.at(index);
                     });
                     return out;
                   },
               .linear_in = {0}});
  };
  of({3, 3}, {}, {0, 1, 0});
  of({2, 3}, {.offset = 1}, {0, 1, 1});
  of({2, 3, 3}, {}, {1, 2, 0});
  of({3, 3, 2}, {.axis1 = 0, .axis2 = 1}, {0, 1, 0});
  of({0, 0}, {}, {0, 1, 0});
  op.throws<ShapeError>("needs matrices [..., n, m]: x is [3]", [] { return trace(ones({3})); });
});

template <class F>
void add_triangle_samples(Op& op, F triangle, bool is_lower) {
  op.accepts = Accepts::everything;
  const auto of = [&](const Shape& shape, std::int64_t offset, bool derivatives = true) {
    op.sample({.attributes = to_string(shape) + ", offset " + std::to_string(offset),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return triangle(x, offset); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(shape, [&](const Index& index) {
                       const std::int64_t row = index[index.size() - 2], column = index.back();
                       const bool stays = is_lower ? column - row <= offset : column - row >= offset;
                       return stays ? in[0].at(index) : 0;
                     });
                   },
               .linear_in = {0},
               .derivatives = derivatives});
  };
  of({3, 3}, 0);
  of({2, 4}, 1);
  of({4, 2}, -1);
  of({2, 3, 2}, 0);
  of({3, 3}, 9);
  of({3, 3}, -9);
  of({0, 3}, 0);
  of({2, 0}, 0);
  of({300, 257}, 3, false);
  op.throws<ShapeError>("needs matrices [..., n, m]: x is [3]", [=] { return triangle(ones({3}), 0); });
}

const OpSamples tril_samples(OpId::tril, [](Op& op) {
  add_triangle_samples(
      op, [](const Tensor& x, std::int64_t offset) { return tril(x, offset); }, true);
  op.exact({.what = "NaN above the diagonal",
            .inputs = {{{2, 2}, {1, static_cast<Real>(not_a_number), 3, 4}}},
            .apply = [](const Tensor& x) { return tril(x); },
            .value = {{2, 2}, {1, 0, 3, 4}},
            .gradients = {{{2, 2}, {1, 0, 1, 1}}}});
});

const OpSamples triu_samples(OpId::triu, [](Op& op) {
  add_triangle_samples(
      op, [](const Tensor& x, std::int64_t offset) { return triu(x, offset); }, false);
});

}}  // namespace xtgrad::testing
