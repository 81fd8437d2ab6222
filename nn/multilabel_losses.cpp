#include "xtgrad/nn/multilabel_losses.h"

#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/binary_cross_entropy.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {

Tensor soft_margin_loss(const Tensor& scores, const Tensor& target, const SoftMarginLossOptions& options) {
  constexpr std::string_view loss = "soft_margin_loss";
  detail::check_alike(loss, {{"scores", scores}, {"target", target}});
  const Tensor y = detail::checked_signs(loss, {"target", target});
  return detail::reduce(softplus(-y * scores), options.reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& logits, const Tensor& target,
                                   const MultilabelSoftMarginLossOptions& options) {
  constexpr std::string_view loss = "multilabel_soft_margin_loss";
  const detail::Operand operand{"logits", logits};
  detail::check_alike(loss, {operand, {"target", target}});
  detail::check_factor(loss, {"weight", options.weight}, operand);
  if (logits.rank() == 0) throw ShapeError(fmt::format("{}: logits need a class dimension: got []", loss));
  const Tensor each =
      bce_with_logits(logits, target, {.weight = options.weight, .reduction = Reduction::none});
  return detail::reduce(mean(each, {.axes = -1}), options.reduction);
}

Tensor multilabel_margin_loss(const Tensor& scores, const Tensor& target,
                              const MultilabelMarginLossOptions& options) {
  constexpr std::string_view loss = "multilabel_margin_loss";
  detail::check_operands(loss, {{"scores", scores}, {"target", target}});
  if (target.dtype() != int64 && target.dtype() != int32) {
    throw DtypeError(
        fmt::format("{}: the target must be int64 class indices: got {}", loss, to_string(target.dtype())));
  }
  if (scores.rank() != 1 && scores.rank() != 2) {
    throw ShapeError(
        fmt::format("{}: scores must be [classes] or [n, classes]: got {}", loss, to_string(scores.shape())));
  }
  if (target.shape() != scores.shape()) {
    throw ShapeError(fmt::format("{}: scores {} need a target of that shape: got {}", loss,
                                 to_string(scores.shape()), to_string(target.shape())));
  }
  const std::int64_t classes = scores.shape().back();
  const std::int64_t n = scores.rank() == 1 ? 1 : scores.size(0);
  const Tensor x = reshape(scores, {n, classes});
  const Tensor numbers =
      detail::checked_range(loss, {"target", target.to(float64)}, -1, static_cast<double>(classes - 1));
  const Tensor y = reshape(numbers.to(int64), {n, classes});
  // What stands before the first -1.
  const Tensor listed = cumsum((y < 0).to(int64), {.axis = 1}) == 0;
  const Tensor places = where(listed, y, 0);
  const Tensor is_label = scatter_add(zeros({n, classes}, {.dtype = int64}), 1, places, listed.to(int64)) > 0;
  const Tensor own = gather(x, 1, places);
  const Tensor behind = 1 - reshape(own, {n, classes, 1}) + reshape(x, {n, 1, classes});
  const Tensor counts = reshape(listed, {n, classes, 1}) & !reshape(is_label, {n, 1, classes});
  const Tensor items = sum(where(counts, relu(behind), 0), {.axes = {1, 2}}) / classes;
  return detail::reduce(scores.rank() == 1 ? reshape(items, {}) : items, options.reduction);
}

}  // namespace xtgrad::v1::nn
