#include "xtgrad/autograd/functions/contraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/einsum_equation.h"
#include "xtgrad/autograd/ops/matrices.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// A tensor whose axes have labels.
struct Labelled {
  Tensor x;
  Labels labels;

  [[nodiscard]] std::int64_t size(Label label) const {
    return x
        .shape()[static_cast<std::size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin())];
  }
  [[nodiscard]] bool has(Label label) const { return contains(labels, label); }
};

/// The same with axes in the order of `labels`, which are all it has.
Tensor in_order(const Labelled& operand, const Labels& labels) {
  Dims order = operand.x.shape();  // for its length
  for (std::size_t d = 0; d < labels.size(); ++d) {
    order[d] = std::find(operand.labels.begin(), operand.labels.end(), labels[d]) - operand.labels.begin();
  }
  return permuted(operand.x, order);
}

/// Of a label that is there twice the diagonal: joined, both axes are one in which it is every (n + 1)-th
/// element.
Labelled with_diagonals(Labelled operand) {
  for (std::size_t d = 0; d < operand.labels.size(); ++d) {
    const auto again = std::find(operand.labels.begin() + static_cast<std::ptrdiff_t>(d) + 1,
                                 operand.labels.end(), operand.labels[d]);
    if (again == operand.labels.end()) continue;
    const auto other = static_cast<std::size_t>(again - operand.labels.begin());
    Shape shape;
    Labels rest;
    std::vector<std::int64_t> axes;
    for (std::size_t k = 0; k < operand.labels.size(); ++k) {
      if (k == d || k == other) continue;
      axes.push_back(static_cast<std::int64_t>(k));
      shape.push_back(operand.x.shape()[k]);
      rest.push_back(operand.labels[k]);
    }
    axes.push_back(static_cast<std::int64_t>(d));
    axes.push_back(static_cast<std::int64_t>(other));
    const std::int64_t n = operand.x.shape()[d];
    shape.push_back(n * n);
    const Tensor joined = reshaped(permuted(operand.x, Dims(axes)), shape);
    rest.push_back(operand.labels[d]);
    return with_diagonals(
        {slice(joined, {.axis = static_cast<std::int64_t>(shape.rank()) - 1, .step = n + 1}), rest});
  }
  return operand;
}

/// Sums over the labels that are not kept.
Labelled summed(const Labelled& operand, const Labels& kept) {
  std::vector<std::int64_t> axes;
  Labels rest;
  for (std::size_t d = 0; d < operand.labels.size(); ++d) {
    if (contains(kept, operand.labels[d])) {
      rest.push_back(operand.labels[d]);
    } else {
      axes.push_back(static_cast<std::int64_t>(d));
    }
  }
  return axes.empty() ? operand : Labelled{sum(operand.x, {.axes = Dims(axes)}), rest};
}

std::int64_t sizes_product(const Labelled& operand, const Labels& labels) {
  std::int64_t product = 1;
  for (const Label label : labels) product *= operand.size(label);
  return product;
}

Labels joined(Labels first, const Labels& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Which labels of a pair are multiplied element by element, summed over, or stand in one of them alone.
struct Pairing {
  Pairing(const Labelled& a, const Labelled& b, const Labels& kept) {
    for (const Label label : a.labels) {
      if (!b.has(label)) {
        of_a.push_back(label);
      } else if (contains(kept, label)) {
        batch.push_back(label);
      } else {
        inner.push_back(label);
      }
    }
    for (const Label label : b.labels) {
      if (!a.has(label)) of_b.push_back(label);
    }
  }
  Labels batch, inner, of_a, of_b;
};

/// The operand as matrices [batch, rows, columns], or transposed if that is how it lies.
Tensor as_matrices(const Labelled& operand, const Labels& batch, const Labels& rows, const Labels& columns,
                   bool& transposed) {
  transposed = operand.labels == joined(joined(batch, columns), rows) && !rows.empty() && !columns.empty();
  const Labels& first = transposed ? columns : rows;
  const Labels& second = transposed ? rows : columns;
  return reshaped(
      in_order(operand, joined(joined(batch, first), second)),
      Shape{sizes_product(operand, batch), sizes_product(operand, first), sizes_product(operand, second)});
}

/// Without anything to sum over: b's axes stand behind a's own.
Labelled multiplied(const Labelled& a, const Labelled& b, const Pairing& by) {
  Shape of_a;
  Shape of_b;
  for (const Label label : by.batch) {
    of_a.push_back(a.size(label));
    of_b.push_back(a.size(label));
  }
  for (const Label label : by.of_a) {
    of_a.push_back(a.size(label));
    of_b.push_back(1);
  }
  for (const Label label : by.of_b) {
    of_a.push_back(1);
    of_b.push_back(b.size(label));
  }
  return {reshaped(in_order(a, joined(by.batch, by.of_a)), of_a) *
              reshaped(in_order(b, joined(by.batch, by.of_b)), of_b),
          joined(joined(by.batch, by.of_a), by.of_b)};
}

/// The product of a pair, summed over all labels that are not kept.
Labelled contracted(const Labelled& first, const Labelled& second, const Labels& kept) {
  const Labelled a = summed(first, joined(kept, second.labels));
  const Labelled b = summed(second, joined(kept, first.labels));
  const Pairing by(a, b, kept);
  if (by.inner.empty()) return multiplied(a, b, by);
  MatmulOptions options;
  const Tensor left = as_matrices(a, by.batch, by.of_a, by.inner, options.transpose_a);
  const Tensor right = as_matrices(b, by.batch, by.inner, by.of_b, options.transpose_b);
  const Tensor product = matmul(left, right, options);
  Labels labels = joined(joined(by.batch, by.of_a), by.of_b);
  Shape shape;
  for (const Label label : labels) shape.push_back(a.has(label) ? a.size(label) : b.size(label));
  return {reshaped(product, shape), std::move(labels)};
}

/// Products of elements that a pair costs.
double cost_of(const Labelled& a, const Labelled& b) {
  double cost = 1;
  for (const Label label : a.labels) cost *= static_cast<double>(a.size(label));
  for (const Label label : b.labels) cost *= a.has(label) ? 1 : static_cast<double>(b.size(label));
  return cost;
}

/// The labels of the output and of all operands but two.
Labels kept_labels(const Labels& output, const std::vector<Labelled>& operands, std::size_t i,
                   std::size_t j) {
  Labels kept = output;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (k != i && k != j) kept = joined(std::move(kept), operands[k].labels);
  }
  return kept;
}

Tensor contract_all(std::vector<Labelled> operands, const Labels& output) {
  while (operands.size() > 1) {
    std::pair<std::size_t, std::size_t> best{0, 1};
    for (std::size_t i = 0; i < operands.size(); ++i) {
      for (std::size_t j = i + 1; j < operands.size(); ++j) {
        if (cost_of(operands[i], operands[j]) < cost_of(operands[best.first], operands[best.second]))
          best = {i, j};
      }
    }
    const auto [i, j] = best;
    operands[i] = contracted(operands[i], operands[j], kept_labels(output, operands, i, j));
    operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(j));
  }
  return in_order(summed(operands[0], output), output);
}

/// Axes of the operand without those of size 1 that broadcast to others.
Labelled without_broadcast(const Tensor& x, const Labels& labels, const EinsumEquation& equation) {
  Shape shape;
  Labels kept;
  for (std::size_t d = 0; d < labels.size(); ++d) {
    if (is_ellipsis(labels[d]) && x.shape()[d] == 1 && equation.size(labels[d]) != 1) continue;
    shape.push_back(x.shape()[d]);
    kept.push_back(labels[d]);
  }
  return {reshaped(x, shape), kept};
}

/// Checks and resolves one of tensordot's lists.
Dims summed_axes(const Tensor& x, const Dims& axes, const char* list) {
  Dims resolved = axes;
  std::array<bool, Shape::max_rank> seen{};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = normalize_axis(to_string(OpId::tensordot), axes[i], x.rank());
    if (std::exchange(seen[axis], true)) {
      throw ShapeError(fmt::format("tensordot: {} names an axis twice: {}", list, to_string(axes)));
    }
    resolved[i] = static_cast<std::int64_t>(axis);
  }
  return resolved;
}

/// x with its summed axes behind the others, or before, as a matrix; `rest` gets the sizes of the others.
Tensor with_axes_joined(const Tensor& x, const Dims& axes, bool behind, Shape& rest) {
  std::vector<std::int64_t> others;
  std::int64_t inner = 1;
  for (const std::int64_t axis : axes) inner *= x.shape()[static_cast<std::size_t>(axis)];
  std::int64_t outer = 1;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    const auto axis = static_cast<std::int64_t>(d);
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
    others.push_back(axis);
    rest.push_back(x.shape()[d]);
    outer *= x.shape()[d];
  }
  std::vector<std::int64_t> order(axes.begin(), axes.end());
  order.insert(behind ? order.begin() : order.end(), others.begin(), others.end());
  return reshaped(permuted(x, Dims(order)), behind ? Shape{outer, inner} : Shape{inner, outer});
}

void check_vectors(OpId op, const Tensor& a, const Tensor& b) {
  if (a.rank() == 1 && b.rank() == 1) return;
  throw ShapeError(fmt::format("{}: needs vectors [n]: a is {}, b is {}", to_string(op), to_string(a.shape()),
                               to_string(b.shape())));
}

}}  // namespace detail

using detail::OpId;

Tensor dot(const Tensor& a, const Tensor& b) {
  detail::check_same_dtype(OpId::dot, detail::array_of(a), detail::array_of(b));
  detail::check_floating(OpId::dot, detail::array_of(a));
  detail::check_vectors(OpId::dot, a, b);
  if (a.size(0) != b.size(0)) {
    throw ShapeError(
        fmt::format("dot: sizes differ: a is {}, b is {}", to_string(a.shape()), to_string(b.shape())));
  }
  const std::int64_t n = a.size(0);
  return detail::reshaped(matmul(detail::reshaped(a, Shape{1, n}), detail::reshaped(b, Shape{n, 1})), {});
}

Tensor outer(const Tensor& a, const Tensor& b) {
  detail::check_same_dtype(OpId::outer, detail::array_of(a), detail::array_of(b));
  detail::check_numeric(OpId::outer, detail::array_of(a));
  detail::check_vectors(OpId::outer, a, b);
  return detail::column_of(a) * b;
}

Tensor tensordot(const Tensor& a, const Tensor& b, const TensordotOptions& options) {
  detail::check_same_dtype(OpId::tensordot, detail::array_of(a), detail::array_of(b));
  detail::check_floating(OpId::tensordot, detail::array_of(a));
  const Dims axes_a = detail::summed_axes(a, options.axes_a, "axes_a");
  const Dims axes_b = detail::summed_axes(b, options.axes_b, "axes_b");
  bool fits = axes_a.size() == axes_b.size();
  for (std::size_t i = 0; fits && i < axes_a.size(); ++i) fits = a.size(axes_a[i]) == b.size(axes_b[i]);
  if (!fits) {
    throw ShapeError(fmt::format(
        "tensordot: paired axes must be of one size: a is {}, axes_a is {}, b is {}, axes_b is {}",
        to_string(a.shape()), to_string(options.axes_a), to_string(b.shape()), to_string(options.axes_b)));
  }
  Shape shape;
  const Tensor left = detail::with_axes_joined(a, axes_a, true, shape);
  const Tensor right = detail::with_axes_joined(b, axes_b, false, shape);
  return detail::reshaped(matmul(left, right), shape);
}

Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t count) {
  const std::int64_t most = static_cast<std::int64_t>(std::min(a.rank(), b.rank()));
  if (count < 0 || count > most) {
    throw ValueError(fmt::format("tensordot: the count of axes must be from 0 to {}: got {}", most, count));
  }
  std::vector<std::int64_t> last;
  std::vector<std::int64_t> first;
  for (std::int64_t i = 0; i < count; ++i) {
    last.push_back(static_cast<std::int64_t>(a.rank()) - count + i);
    first.push_back(i);
  }
  return tensordot(a, b, {.axes_a = last, .axes_b = first});
}

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  for (const Tensor& one : operands) {
    detail::check_same_dtype(OpId::einsum, detail::array_of(operands[0]), detail::array_of(one),
                             {"the first operand", "another"});
    detail::check_floating(OpId::einsum, detail::array_of(one));
  }
  std::vector<Shape> shapes;
  for (const Tensor& one : operands) shapes.push_back(one.shape());
  const detail::EinsumEquation parsed(equation, shapes);
  std::vector<detail::Labelled> labelled;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    labelled.push_back(
        detail::with_diagonals(detail::without_broadcast(operands[i], parsed.operands()[i], parsed)));
  }
  return detail::contract_all(std::move(labelled), parsed.output());
}

Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span<const Tensor>(operands.begin(), operands.size()));
}

// [a0, 1, a1, 1] times [1, b0, 1, b1].
Tensor kron(const Tensor& a, const Tensor& b) {
  detail::check_same_dtype(OpId::kron, detail::array_of(a), detail::array_of(b));
  detail::check_numeric(OpId::kron, detail::array_of(a));
  const std::size_t rank = std::max(a.rank(), b.rank());
  if (2 * rank > Shape::max_rank) {
    throw ShapeError(fmt::format("kron: needs at most {} dimensions: a is {}, b is {}", Shape::max_rank / 2,
                                 to_string(a.shape()), to_string(b.shape())));
  }
  const auto size = [&](const Tensor& x, std::size_t d) {
    const std::size_t missing = rank - x.rank();
    return d < missing ? 1 : x.shape()[d - missing];
  };
  Shape of_a;
  Shape of_b;
  Shape shape;
  for (std::size_t d = 0; d < rank; ++d) {
    of_a.push_back(size(a, d));
    of_a.push_back(1);
    of_b.push_back(1);
    of_b.push_back(size(b, d));
    shape.push_back(size(a, d) * size(b, d));
  }
  return detail::reshaped(detail::reshaped(a, of_a) * detail::reshaped(b, of_b), shape);
}

Tensor cross(const Tensor& a, const Tensor& b, std::int64_t axis) {
  detail::check_same_dtype(OpId::cross, detail::array_of(a), detail::array_of(b));
  detail::check_numeric(OpId::cross, detail::array_of(a));
  const Shape shape = broadcast_shapes(to_string(OpId::cross), a.shape(), b.shape());
  const std::size_t dim = normalize_axis(to_string(OpId::cross), axis, shape.rank());
  if (shape[dim] != 3) {
    throw ShapeError(fmt::format("cross: needs 3 elements along axis {}: a is {}, b is {}", axis,
                                 to_string(a.shape()), to_string(b.shape())));
  }
  const auto along = static_cast<std::int64_t>(dim);
  const std::vector<Tensor> x = split(detail::stretched_to(a, shape), 1, along);
  const std::vector<Tensor> y = split(detail::stretched_to(b, shape), 1, along);
  return concat({x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]}, along);
}

Tensor vander(const Tensor& x, const VanderOptions& options) {
  detail::check_floating(OpId::vander, detail::array_of(x));
  if (x.rank() == 0) throw ShapeError("vander: needs at least 1 dimension [..., n]: x is []");
  const std::int64_t columns = options.powers.value_or(x.size(-1));
  if (columns < 0) throw ValueError(fmt::format("vander: powers must be at least 0: got {}", columns));
  const ArangeOptions powers =
      options.decreasing ? ArangeOptions{.start = columns - 1, .step = -1} : ArangeOptions{};
  const Scalar stop = options.decreasing ? Scalar(-1) : Scalar(columns);
  return pow(detail::column_of(x), arange(stop, powers, {.dtype = x.dtype()}));
}

}  // namespace xtgrad::v1
