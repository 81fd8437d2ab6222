#include "xtgrad/nn/losses.h"

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

/// What every loss asks of its two tensors; `names` is what the loss calls them.
void check_operands(std::string_view loss, const Tensor& first, std::string_view name, const Tensor& target) {
  for (const auto& [operand, what] :
       {std::pair(&first, name), std::pair(&target, std::string_view("target"))}) {
    if (!operand->defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", loss, what));
  }
  if (!is_floating(first.dtype())) {
    throw DtypeError(
        fmt::format("{}: {} must be float32 or float64: got {}", loss, name, to_string(first.dtype())));
  }
}

Tensor reduce(const Tensor& items, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(items);
    case Reduction::sum:
      return sum(items);
    case Reduction::none:
      return items;
  }
  throw ValueError(fmt::format("Reduction: no such kind: {}", static_cast<int>(reduction)));
}

/// The shape of one item for each softmax: that of the logits without their class dimension.
Shape item_shape(const Shape& logits, std::size_t axis) {
  Shape shape;
  for (std::size_t i = 0; i < logits.rank(); ++i) {
    if (i != axis) shape.push_back(logits[i]);
  }
  return shape;
}

/// `x` with every size 1 but that of `axis`, to stretch along the others.
Shape along_axis(const Shape& shape, std::size_t axis) {
  Shape result = shape;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (i != axis) result[i] = 1;
  }
  return result;
}

std::string position_text(std::int64_t flat, const Shape& shape) {
  Shape position = shape;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    position[i] = flat % shape[i];
    flat /= shape[i];
  }
  return to_string(position);
}

/// Number of ignored items; throws ValueError for an index that is no class.
std::int64_t checked_indices(const Tensor& target, std::int64_t classes, std::int64_t ignore_index) {
  std::int64_t ignored = 0;
  const std::span<const std::int64_t> indices = target.data<std::int64_t>();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices[i];
    if (index == ignore_index) {
      ++ignored;
    } else if (index < 0 || index >= classes) {
      throw ValueError(
          fmt::format("cross_entropy: class index out of range: target is {} at {}, there are {} classes",
                      index, position_text(static_cast<std::int64_t>(i), target.shape()), classes));
    }
  }
  return ignored;
}

void check_options(const Tensor& logits, std::int64_t classes, const CrossEntropyOptions& options) {
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw ValueError(
        fmt::format("cross_entropy: label_smoothing must be in [0, 1]: got {}", options.label_smoothing));
  }
  if (!options.weight.defined()) return;
  if (options.weight.shape() != Shape{classes}) {
    throw ShapeError(fmt::format("cross_entropy: weight must be [{}], one for each class: got {}", classes,
                                 to_string(options.weight.shape())));
  }
  if (options.weight.dtype() != logits.dtype()) {
    throw DtypeError(fmt::format("cross_entropy: weight is {}, the logits are {}",
                                 to_string(options.weight.dtype()), to_string(logits.dtype())));
  }
}

Tensor with_indices(const Tensor& logits, const Tensor& target, std::size_t axis,
                    const CrossEntropyOptions& options) {
  const Shape& shape = logits.shape();
  const std::int64_t classes = shape[axis];
  const Shape items = item_shape(shape, axis);
  if (target.shape() != items) {
    throw ShapeError(fmt::format("cross_entropy: logits {} need class indices {}: got {}", to_string(shape),
                                 to_string(items), to_string(target.shape())));
  }
  const std::int64_t ignored = checked_indices(target, classes, options.ignore_index);
  Shape index_shape = shape;
  index_shape[axis] = 1;
  const Tensor column = reshape(target, index_shape);
  const Tensor kept = ignored == 0 ? Tensor() : not_equal(column, static_cast<double>(options.ignore_index));
  const Tensor index = ignored == 0 ? column : where(kept, column, 0);  // 0 is as good as any class to gather
  const auto class_axis = static_cast<std::int64_t>(axis);

  const Tensor log_p = log_softmax(logits, class_axis);
  const Tensor picked = gather(log_p, class_axis, index);
  const double epsilon = options.label_smoothing;
  if (!options.weight.defined() && epsilon == 0 && ignored == 0) {
    return neg(
        reduce(options.reduction == Reduction::none ? reshape(picked, items) : picked, options.reduction));
  }

  Tensor item = picked;  // log likelihood, weighted, in index_shape
  Tensor item_weight;    // w[t_i], in index_shape
  if (options.weight.defined()) {
    item_weight = reshape(gather(options.weight, 0, flatten(index)), index_shape);
    item = item * item_weight;
  }
  if (epsilon > 0) {
    const Tensor weighted =
        options.weight.defined() ? log_p * reshape(options.weight, along_axis(shape, axis)) : log_p;
    const Tensor all = sum(weighted, {.axes = {class_axis}, .keepdim = true});
    item = (1 - epsilon) * item + (epsilon / static_cast<double>(classes)) * all;
  }
  if (ignored > 0) {
    item = where(kept, item, 0);
    if (item_weight.defined()) item_weight = where(kept, item_weight, 0);
  }
  if (options.reduction == Reduction::none) return neg(reshape(item, items));
  const Tensor total = neg(sum(item));
  if (options.reduction == Reduction::sum) return total;
  return item_weight.defined() ? total / sum(item_weight)
                               : total / static_cast<double>(target.numel() - ignored);
}

Tensor with_probabilities(const Tensor& logits, const Tensor& target, std::size_t axis,
                          const CrossEntropyOptions& options) {
  const Shape& shape = logits.shape();
  if (target.shape() != shape) {
    throw ShapeError(
        fmt::format("cross_entropy: logits {} need probabilities of that shape, or int64 class indices: "
                    "got {} {}",
                    to_string(shape), to_string(target.dtype()), to_string(target.shape())));
  }
  if (target.dtype() != logits.dtype()) {
    throw DtypeError(fmt::format("cross_entropy: the target's probabilities are {}, the logits are {}",
                                 to_string(target.dtype()), to_string(logits.dtype())));
  }
  if (options.ignore_index >= 0) {
    throw ValueError(
        fmt::format("cross_entropy: ignore_index {} needs class indices, the target holds probabilities",
                    options.ignore_index));
  }
  const auto class_axis = static_cast<std::int64_t>(axis);
  const double epsilon = options.label_smoothing;
  Tensor q = target;
  if (epsilon > 0) q = q * (1 - epsilon) + epsilon / static_cast<double>(shape[axis]);
  if (options.weight.defined()) q = q * reshape(options.weight, along_axis(shape, axis));
  const Tensor items = neg(sum(q * log_softmax(logits, class_axis), {.axes = {class_axis}}));
  return reduce(items, options.reduction);
}

/// True if `from` stretches to `to` by broadcasting.
bool stretches(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    const std::int64_t size = from[from.rank() - 1 - i];
    if (size != 1 && size != to[to.rank() - 1 - i]) return false;
  }
  return true;
}

void check_bce_weight(std::string_view name, const Tensor& weight, const Tensor& logits) {
  if (!weight.defined()) return;
  if (!stretches(weight.shape(), logits.shape())) {
    throw ShapeError(fmt::format("bce_with_logits: {} must broadcast to the logits {}: got {}", name,
                                 to_string(logits.shape()), to_string(weight.shape())));
  }
  if (weight.dtype() != logits.dtype()) {
    throw DtypeError(fmt::format("bce_with_logits: {} is {}, the logits are {}", name,
                                 to_string(weight.dtype()), to_string(logits.dtype())));
  }
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, const MseLossOptions& options) {
  check_operands("mse_loss", prediction, "prediction", target);
  if (prediction.shape() != target.shape()) {
    throw ShapeError(
        fmt::format("mse_loss: shapes differ: prediction is {}, target is {}; reshape one of them",
                    to_string(prediction.shape()), to_string(target.shape())));
  }
  if (prediction.dtype() != target.dtype()) {
    throw DtypeError(fmt::format("mse_loss: dtypes differ: prediction is {}, target is {}",
                                 to_string(prediction.dtype()), to_string(target.dtype())));
  }
  const Tensor loss = reduce(square(prediction - target), options.reduction);
  return options.half ? 0.5 * loss : loss;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  check_operands("cross_entropy", logits, "logits", target);
  if (logits.rank() == 0) throw ShapeError("cross_entropy: logits need a class dimension: got []");
  const std::size_t axis = logits.rank() == 1 ? 0 : 1;
  check_options(logits, logits.shape()[axis], options);
  if (target.dtype() == int64 || target.dtype() == int32) {
    return with_indices(logits, target.to(int64), axis, options);
  }
  if (is_floating(target.dtype())) return with_probabilities(logits, target, axis, options);
  throw DtypeError(
      fmt::format("cross_entropy: the target must be int64 class indices or floating probabilities: got {}",
                  to_string(target.dtype())));
}

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceWithLogitsOptions& options) {
  check_operands("bce_with_logits", logits, "logits", target);
  if (logits.shape() != target.shape()) {
    throw ShapeError(
        fmt::format("bce_with_logits: shapes differ: logits are {}, target is {}; reshape one of them",
                    to_string(logits.shape()), to_string(target.shape())));
  }
  if (logits.dtype() != target.dtype()) {
    throw DtypeError(
        fmt::format("bce_with_logits: dtypes differ: logits are {}, target is {}; convert with to()",
                    to_string(logits.dtype()), to_string(target.dtype())));
  }
  check_bce_weight("pos_weight", options.pos_weight, logits);
  check_bce_weight("weight", options.weight, logits);
  // One softplus would do, as max(x, 0) - x y + log(1 + e^-|x|), but it loses small losses in the difference,
  // and its kinks at 0 have subgradients that do not add up. Past 40, x is log(1 + e^x) to the last bit.
  const SoftplusOptions exact{.threshold = 40};
  const Tensor if_negative = softplus(logits, exact);
  const Tensor if_positive = softplus(neg(logits), exact);
  const Tensor positive = options.pos_weight.defined() ? target * options.pos_weight : target;
  Tensor items = (1 - target) * if_negative + positive * if_positive;
  if (options.weight.defined()) items = items * options.weight;
  return reduce(items, options.reduction);
}

}  // namespace xtgrad::v1::nn
