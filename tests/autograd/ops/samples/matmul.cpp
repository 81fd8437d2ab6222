// Samples of the matrix product.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Sum over k of a[..., i, k] b[..., k, j], with either operand's last two dimensions swapped.
SampleReference product_of(const MatmulOptions& options) {
  return [options](std::span<const Values> in) {
    const auto batch_of = [](const Values& x) {
      return Values{Shape(std::span(x.shape.begin(), x.shape.rank() - 2)), {}};
    };
    const auto size = [](const Values& x, bool transposed, std::size_t dim) {
      return x.shape[x.shape.rank() - 2 + (transposed ? 1 - dim : dim)];
    };
    const auto element = [](const Values& x, const Index& batch, bool transposed, std::int64_t i,
                            std::int64_t j) {
      const Shape leading(std::span(x.shape.begin(), x.shape.rank() - 2));
      Index index = broadcast_index(batch, leading);
      index.push_back(transposed ? j : i);
      index.push_back(transposed ? i : j);
      return x.at(index);
    };
    const std::vector<Values> batches = {batch_of(in[0]), batch_of(in[1])};
    Shape shape = broadcast_shape(batches);
    shape.push_back(size(in[0], options.transpose_a, 0));
    shape.push_back(size(in[1], options.transpose_b, 1));
    const std::int64_t inner = size(in[0], options.transpose_a, 1);
    return fill(shape, [&](const Index& index) {
      const Index batch(index.begin(), index.end() - 2);
      Real sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) {
        sum += element(in[0], batch, options.transpose_a, index[index.size() - 2], k) *
               element(in[1], batch, options.transpose_b, k, index.back());
      }
      return sum;
    });
  };
}

/// The same where an operand may be a vector: a row, or a column, whose dimension is not in the result.
SampleReference product_of_vectors(MatmulOptions options) {
  return [options](std::span<const Values> in) mutable {
    std::vector<Values> matrices(in.begin(), in.end());
    const bool is_row = in[0].shape.rank() == 1;
    const bool is_column = in[1].shape.rank() == 1;
    if (is_row) matrices[0].shape = {1, in[0].size(0)};
    if (is_column) matrices[1].shape = {in[1].size(0), 1};
    if (is_row) options.transpose_a = false;
    if (is_column) options.transpose_b = false;
    Values product = product_of(options)(matrices);
    Shape shape;
    for (std::size_t d = 0; d < product.shape.rank(); ++d) {
      const std::size_t from_end = product.shape.rank() - d;
      if ((from_end == 2 && is_row) || (from_end == 1 && is_column)) continue;
      shape.push_back(product.shape[d]);
    }
    product.shape = shape;
    return product;
  };
}

const OpSamples matmul_samples(OpId::matmul, [](Op& op) {
  op.accuracy = {.ulps = 8, .by_magnitudes = true, .signed_zeros = false};
  const auto of = [&op](const Shape& a, const Shape& b, const MatmulOptions& options, bool derivatives) {
    op.sample({.attributes = to_string(a) + (options.transpose_a ? "' " : " ") + to_string(b) +
                             (options.transpose_b ? "'" : ""),
               .inputs = {{.shape = a}, {.shape = b}},
               .apply = [options](const Tensor& x, const Tensor& y) { return matmul(x, y, options); },
               .reference = product_of(options),
               .linear_in = {0, 1},
               .derivatives = derivatives});
  };
  of({2, 3}, {3, 4}, {}, true);
  of({3, 2}, {3, 4}, {.transpose_a = true}, true);
  of({2, 3}, {4, 3}, {.transpose_b = true}, true);
  of({3, 2}, {4, 3}, {.transpose_a = true, .transpose_b = true}, true);
  of({2, 2}, {2, 2}, {}, true);
  of({1, 1}, {1, 1}, {}, true);
  of({2, 2, 3}, {2, 3, 2}, {}, true);
  of({2, 2, 3}, {3, 2}, {}, true);
  of({2, 3}, {2, 3, 2}, {}, true);
  of({2, 2, 3}, {2, 3}, {.transpose_b = true}, true);
  of({2, 3, 2}, {3, 2}, {.transpose_a = true}, true);
  of({2, 1, 1, 2}, {3, 2, 1}, {}, true);
  of({2, 1, 2, 3}, {1, 3, 3, 2}, {}, true);
  of({2, 0}, {0, 3}, {}, true);  // a sum of nothing: zeros
  of({0, 2}, {2, 3}, {}, true);
  of({0, 2, 3}, {3, 2}, {}, true);
  of({17, 13}, {13, 61}, {}, false);
  of({13, 17}, {61, 13}, {.transpose_a = true, .transpose_b = true}, false);
  of({5, 33, 17}, {17, 35}, {}, false);
  const auto of_vectors = [&op](const Shape& a, const Shape& b, const MatmulOptions& options) {
    op.sample({.attributes = to_string(a) + (options.transpose_a ? "' " : " ") + to_string(b) +
                             (options.transpose_b ? "'" : ""),
               .inputs = {{.shape = a}, {.shape = b}},
               .apply = [options](const Tensor& x, const Tensor& y) { return matmul(x, y, options); },
               .reference = product_of_vectors(options),
               .linear_in = {0, 1},
               .combined = true});  // it goes on with a reshape
  };
  of_vectors({3}, {3, 2}, {});
  of_vectors({2, 3}, {3}, {});
  of_vectors({3}, {3}, {});
  of_vectors({3}, {2, 3, 2}, {});
  of_vectors({2, 2, 3}, {3}, {});
  of_vectors({3}, {2, 3}, {.transpose_a = true, .transpose_b = true});  // a vector has nothing to transpose
  of_vectors({3, 2}, {3}, {.transpose_a = true});
  of_vectors({0}, {0}, {});
  of_vectors({0}, {0, 2}, {});
  const auto multiply = [](const Shape& a, const Shape& b, const MatmulOptions& options = {}) {
    return [=] { return matmul(ones(a), ones(b), options); };
  };
  op.throws<ShapeError>("inner sizes differ: a is [2, 3], b is [4, 5]", multiply({2, 3}, {4, 5}));
  op.throws<ShapeError>("inner sizes differ: a is [2, 3] transposed, b is [3, 5]",
                        multiply({2, 3}, {3, 5}, {.transpose_a = true}));
  op.throws<ShapeError>("operands need at least 1 dimension: a is [], b is [3, 2]", multiply({}, {3, 2}));
  op.throws<ShapeError>("inner sizes differ: a is [3], b is [2, 3]", multiply({3}, {2, 3}));
  op.throws<ShapeError>("inner sizes differ: a is [2, 3] transposed, b is [3]",
                        multiply({2, 3}, {3}, {.transpose_a = true}));
  op.throws<ShapeError>("leading dimensions do not broadcast: a is [2, 2, 3], b is [4, 3, 2]",
                        multiply({2, 2, 3}, {4, 3, 2}));
});

}}  // namespace xtgrad::testing
