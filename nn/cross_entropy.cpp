#include "xtgrad/nn/cross_entropy.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {
namespace {

/// Which loss was called, and its first tensor: logits, or log probabilities.
struct Call {
  std::string_view loss;
  detail::Operand operand;
  bool takes_logits;
};

/// Of a tensor with classes; throws ShapeError where there are none.
std::size_t class_axis(const Call& call) {
  const std::size_t rank = call.operand.tensor.rank();
  if (rank == 0)
    throw ShapeError(fmt::format("{}: {} need a class dimension: got []", call.loss, call.operand.name));
  return rank == 1 ? 0 : 1;
}

/// The shape of one item for each softmax: that of the logits without their class dimension.
Shape item_shape(const Shape& logits, std::size_t axis) {
  Shape shape;
  for (std::size_t i = 0; i < logits.rank(); ++i) {
    if (i != axis) shape.push_back(logits[i]);
  }
  return shape;
}

/// Every size 1 but that of `axis`, to stretch along the others.
Shape along_axis(const Shape& shape, std::size_t axis) {
  Shape result = shape;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (i != axis) result[i] = 1;
  }
  return result;
}

void check_weight(const Call& call, const Tensor& weight, std::int64_t classes) {
  if (!weight.defined()) return;
  if (weight.shape() != Shape{classes}) {
    throw ShapeError(fmt::format("{}: weight must be [{}], one for each class: got {}", call.loss, classes,
                                 to_string(weight.shape())));
  }
  if (weight.dtype() != call.operand.tensor.dtype()) {
    throw DtypeError(fmt::format("{}: weight is {}, the {} are {}", call.loss, to_string(weight.dtype()),
                                 call.operand.name, to_string(call.operand.tensor.dtype())));
  }
}

/// Class indices, and which of them count.
struct Classes {
  Tensor index;  // int64, a class everywhere
  Tensor kept;   // bool; not defined where all are
  std::int64_t ignored = 0;
};

Classes classes_of(const Call& call, const Tensor& target, std::size_t axis, std::int64_t ignore_index) {
  const Shape& shape = call.operand.tensor.shape();
  const Shape items = item_shape(shape, axis);
  if (target.shape() != items) {
    throw ShapeError(fmt::format("{}: {} {} need class indices {}: got {}", call.loss, call.operand.name,
                                 to_string(shape), to_string(items), to_string(target.shape())));
  }
  const auto [index, ignored] =
      detail::checked_classes(call.loss, xtgrad::detail::cast(target, int64), shape[axis], ignore_index);
  Classes classes{.index = index, .kept = {}, .ignored = ignored};
  if (classes.ignored == 0) return classes;
  classes.kept = not_equal(classes.index, static_cast<double>(ignore_index));
  classes.index = where(classes.kept, classes.index, 0);  // 0 is as good as any class to look up
  return classes;
}

/// -log_p at each item's class, of the items' shape.
Tensor picked_from(const Tensor& log_p, const Tensor& index, std::size_t axis) {
  Shape column = log_p.shape();
  column[axis] = 1;
  const auto classes_at = static_cast<std::int64_t>(axis);
  const Tensor picked = gather(log_p, classes_at, xtgrad::detail::reshaped(index, column));
  return neg(xtgrad::detail::reshaped(picked, index.shape()));
}

Tensor with_indices(const Call& call, const Tensor& target, std::size_t axis,
                    const CrossEntropyOptions& options) {
  const Tensor& x = call.operand.tensor;
  const auto [index, kept, ignored] = classes_of(call, target, axis, options.ignore_index);
  const auto classes_at = static_cast<std::int64_t>(axis);
  const double epsilon = options.label_smoothing;
  const bool is_fused = call.takes_logits && epsilon == 0;
  const Tensor log_p = is_fused ? Tensor() : call.takes_logits ? log_softmax(x, classes_at) : x;
  Tensor item = is_fused ? softmax_cross_entropy(x, index, classes_at) : picked_from(log_p, index, axis);
  if (!options.weight.defined() && epsilon == 0 && ignored == 0) {
    return detail::reduce(item, options.reduction);
  }

  Tensor item_weight;  // w[t_i]
  if (options.weight.defined()) {
    item_weight = xtgrad::detail::reshaped(gather(options.weight, 0, flatten(index)), index.shape());
    item = xtgrad::detail::weighted(item_weight, item);
  }
  if (epsilon > 0) {
    const Tensor weighted =
        options.weight.defined()
            ? xtgrad::detail::weighted(xtgrad::detail::reshaped(options.weight, along_axis(x.shape(), axis)),
                                       log_p)
            : log_p;
    const Tensor all = sum(weighted, {.axes = {classes_at}});
    const Tensor smooth = (-epsilon / static_cast<double>(x.shape()[axis])) * all;
    item = epsilon == 1 ? smooth : (1 - epsilon) * item + smooth;  // not 0 times an infinite item
  }
  if (ignored > 0) {
    item = where(kept, item, 0);
    if (item_weight.defined()) item_weight = where(kept, item_weight, 0);
  }
  if (options.reduction == Reduction::none) return item;
  const Tensor total = sum(item);
  if (options.reduction == Reduction::sum) return total;
  if (item_weight.defined()) return total / sum(item_weight);
  // To the same bits: as many ones are added up without rounding, below 2^24.
  if (ignored > 0 && xtgrad::detail::is_listed_for_others())
    return total / sum(xtgrad::detail::cast(kept, total.dtype()));
  return total / static_cast<double>(target.numel() - ignored);
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
  const auto classes_at = static_cast<std::int64_t>(axis);
  const double epsilon = options.label_smoothing;
  Tensor q = target;
  if (epsilon > 0) q = q * (1 - epsilon) + epsilon / static_cast<double>(shape[axis]);
  if (options.weight.defined()) q = q * xtgrad::detail::reshaped(options.weight, along_axis(shape, axis));
  const Tensor items =
      neg(sum(xtgrad::detail::weighted(q, log_softmax(logits, classes_at)), {.axes = {classes_at}}));
  return detail::reduce(items, options.reduction);
}

bool holds_indices(const Tensor& target) { return target.dtype() == int64 || target.dtype() == int32; }

/// t (log t - x), 0 where t is 0.
Tensor divergence(const Tensor& x, const Tensor& t) {
  const Tensor zero = t == 0;
  const Tensor t_log_t = where(zero, 0, t * log(where(zero, 1, t)));
  return t_log_t - xtgrad::detail::weighted(t, x);
}

/// e^t (t - x), 0 where t is -inf.
Tensor log_divergence(const Tensor& x, const Tensor& t) {
  const Tensor zero = t == -std::numeric_limits<double>::infinity();
  const Tensor finite = where(zero, 0, t);
  return where(zero, 0, exp(finite) * (finite - where(zero, 0, x)));
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const Call call{"cross_entropy", {"logits", logits}, true};
  detail::check_operands(call.loss, {call.operand, {"target", target}});
  const std::size_t axis = class_axis(call);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw ValueError(
        fmt::format("cross_entropy: label_smoothing must be in [0, 1]: got {}", options.label_smoothing));
  }
  check_weight(call, options.weight, logits.shape()[axis]);
  if (holds_indices(target)) {
    return with_indices(call, target, axis, options);
  }
  if (is_floating(target.dtype())) return with_probabilities(logits, target, axis, options);
  throw DtypeError(
      fmt::format("cross_entropy: the target must be int64 class indices or floating probabilities: got {}",
                  to_string(target.dtype())));
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NllLossOptions& options) {
  const Call call{"nll_loss", {"log_probabilities", log_probabilities}, false};
  detail::check_operands(call.loss, {call.operand, {"target", target}});
  const std::size_t axis = class_axis(call);
  check_weight(call, options.weight, log_probabilities.shape()[axis]);
  if (!holds_indices(target)) {
    throw DtypeError(
        fmt::format("nll_loss: the target must be int64 class indices: got {}", to_string(target.dtype())));
  }
  return with_indices(
      call, target, axis,
      {.weight = options.weight, .ignore_index = options.ignore_index, .reduction = options.reduction});
}

Tensor kl_div(const Tensor& log_probabilities, const Tensor& target, const KlDivOptions& options) {
  detail::check_alike("kl_div", {{"log_probabilities", log_probabilities}, {"target", target}});
  Tensor items =
      options.log_target ? log_divergence(log_probabilities, target) : divergence(log_probabilities, target);
  switch (options.reduction) {
    case KlDivReduction::mean:
      return mean(items);
    case KlDivReduction::batchmean:
      return items.rank() == 0 ? items : sum(items) / items.size(0);
    case KlDivReduction::sum:
      return sum(items);
    case KlDivReduction::none:
      return items;
  }
  throw ValueError(fmt::format("KlDivReduction: no such kind: {}", static_cast<int>(options.reduction)));
}

}  // namespace xtgrad::v1::nn
