#include "tests/autograd/ops/matrix_shapes.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "tests/autograd/ops/batched_steps.h"

namespace xtgrad::inline v1::testing {
namespace {

/// Operations that stretch an operand, or are that: of the others, inputs of two shapes mean something else.
const std::set<OpId> stretching = {OpId::matmul,
                                   OpId::broadcast_to,
                                   OpId::sum_to,
                                   OpId::solve,
                                   OpId::solve_triangular,
                                   OpId::cholesky_solve,
                                   OpId::masked_fill,
                                   OpId::where,
                                   OpId::where_safe,
                                   OpId::lerp,
                                   OpId::cross,
                                   OpId::kron,
                                   OpId::cdist,
                                   OpId::scaled_dot_product_attention,
                                   OpId::complex_mul,
                                   OpId::bitwise_and,
                                   OpId::bitwise_or,
                                   OpId::bitwise_xor,
                                   OpId::left_shift,
                                   OpId::right_shift};

bool has_size(const Sample& sample, std::int64_t size) {
  return std::any_of(sample.inputs.begin(), sample.inputs.end(), [&](const Input& input) {
    return std::count(input.shape.begin(), input.shape.end(), size) > 0;
  });
}

/// An axis of one operand has to be stretched to that of another: counted from the last one.
bool is_stretched(const Sample& sample, std::size_t kept) {
  // Beside elements an index has a shape of its own; of integers alone it is an operand.
  const bool is_of_indices = std::all_of(sample.inputs.begin(), sample.inputs.end(),
                                         [](const Input& input) { return input.role == Role::index; });
  for (const Input& a : sample.inputs) {
    for (const Input& b : sample.inputs) {
      if (!is_of_indices && (a.role == Role::index || b.role == Role::index)) continue;
      if (a.shape.rank() < b.shape.rank()) return true;
      for (std::size_t i = kept; i < std::min(a.shape.rank(), b.shape.rank()); ++i) {
        if (a.shape[a.shape.rank() - 1 - i] != b.shape[b.shape.rank() - 1 - i]) return true;
      }
    }
  }
  return false;
}

bool is_broadcast(const Op& op, const Sample& sample) {
  if (op.id == OpId::broadcast_to || op.id == OpId::sum_to) return true;
  const std::set<OpId> of_matrices = {OpId::matmul,         OpId::solve, OpId::solve_triangular,
                                      OpId::cholesky_solve, OpId::cdist, OpId::scaled_dot_product_attention};
  if (op.elementwise_operations.empty() && !stretching.contains(op.id)) return false;
  return is_stretched(sample, of_matrices.contains(op.id) ? 2 : 0);
}

using Change = std::function<Shape(const Shape&)>;

/// Axes of `size` become axes of `to`; of `axis` alone if one is given.
Change replaced(std::int64_t size, std::int64_t to, std::optional<std::size_t> axis = std::nullopt) {
  return [=](const Shape& shape) {
    Shape result;
    for (std::size_t i = 0; i < shape.rank(); ++i)
      result.push_back(shape[i] == size && (!axis || *axis == i) ? to : shape[i]);
    return result;
  };
}

Change made(const Shape& shape) {
  return [=](const Shape&) { return shape; };
}

/// Every axis of one size.
Change all_of(std::int64_t size) {
  return [=](const Shape& shape) {
    Shape result;
    for (std::size_t i = 0; i < shape.rank(); ++i) result.push_back(size);
    return result;
  };
}

/// An axis more in front.
Change led_by(std::int64_t size) {
  return [=](const Shape& shape) {
    Shape result{size};
    for (const std::int64_t one : shape) result.push_back(one);
    return result;
  };
}

/// Every axis of the first input by itself, then those of its size in all places.
void add_axes(std::vector<Change>& changes, const Shape& first, std::int64_t to) {
  for (std::size_t i = first.rank(); i-- > 0;) changes.push_back(replaced(first[i], to, i));
  for (std::size_t i = first.rank(); i-- > 0;) changes.push_back(replaced(first[i], to));
  changes.push_back(all_of(to));
}

std::vector<Change> changes_to(const Sample& sample, Shapes wanted) {
  std::vector<Change> changes;
  const Shape& first = sample.inputs[0].shape;
  switch (wanted) {
    case Shapes::plain:
      changes.push_back(replaced(1, 2));
      changes.push_back(replaced(1, 2, 0));
      changes.push_back(made({2, 3}));
      break;
    case Shapes::size_one:
      add_axes(changes, first, 1);
      changes.push_back(made({2, 1}));
      break;
    case Shapes::empty:
      add_axes(changes, first, 0);
      break;
    case Shapes::batch_of_one:
      if (first.rank() >= 2) {
        changes.push_back(replaced(first[0], 1, 0));
        changes.push_back(replaced(first[0], 1));
      }
      if (first.rank() >= 1) changes.push_back(led_by(1));
      changes.push_back(made({1, 3}));
      break;
    case Shapes::zero_d:
      changes.push_back(made({}));
      break;
    case Shapes::broadcast:
      break;
  }
  return changes;
}

bool is_finite(const Tensor& y) {
  const Values values = to_values(y);
  return std::all_of(values.data.begin(), values.data.end(), [](Real x) { return std::isfinite(x); });
}

/// The operation's own word on a call; empty where it takes it.
std::string refusal_of(const Op& op, const Sample& sample) {
  try {
    Random random = random_for(op, Check::derivatives);
    for (std::size_t example = 0; example < batch_examples; ++example) {
      const Tensor y =
          sample.apply(make_inputs(sample, draw_inputs(sample, float32, random), float64, false));
      if (!is_finite(y)) return "its value is not finite";
    }
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

std::string_view to_string(Shapes shapes) {
  switch (shapes) {
    case Shapes::plain:
      return "plain";
    case Shapes::broadcast:
      return "broadcast";
    case Shapes::size_one:
      return "size 1";
    case Shapes::empty:
      return "empty";
    case Shapes::zero_d:
      return "0-d";
    case Shapes::batch_of_one:
      return "batch of 1";
  }
  return "unknown";
}

Shapes shapes_of(const Op& op, const Sample& sample) {
  if (sample.inputs.empty()) return Shapes::plain;
  if (has_size(sample, 0)) return Shapes::empty;
  if (is_broadcast(op, sample)) return Shapes::broadcast;
  const Shape& first = sample.inputs[0].shape;
  if (first.rank() == 0) return Shapes::zero_d;
  // Of size 1 in all axes it is a matrix rather than a batch.
  const bool is_one = std::count(first.begin(), first.end(), 1) == static_cast<std::ptrdiff_t>(first.rank());
  if (first.rank() >= 2 && first[0] == 1 && !is_one) return Shapes::batch_of_one;
  return has_size(sample, 1) ? Shapes::size_one : Shapes::plain;
}

std::optional<Sample> variant_of(const Op& op, const Sample& sample, Shapes wanted, std::string& refusal) {
  if (sample.inputs.empty()) return std::nullopt;
  for (const Change& change : changes_to(sample, wanted)) {
    // Of inputs of several shapes the first may be the only one that such an axis belongs to; indices may
    // point past an axis of size 1.
    for (const int way : {0, 1, 2, 3}) {
      Sample variant = sample;
      for (std::size_t i = 0; i < variant.inputs.size(); ++i) {
        Input& input = variant.inputs[i];
        if (way % 2 == 0 || i == 0) input.shape = change(input.shape);
        if (input.role == Role::index && way >= 2) input.domain.high = input.domain.low = 0;
      }
      variant.attributes += ", " + std::string(to_string(wanted));
      if (shapes_of(op, variant) != wanted) continue;
      const std::string said = refusal_of(op, variant);
      if (said.empty()) {
        refusal.clear();
        return variant;
      }
      refusal = said;
    }
  }
  return std::nullopt;
}

}  // namespace xtgrad::v1::testing
