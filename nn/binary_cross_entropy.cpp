#include "xtgrad/nn/binary_cross_entropy.h"

#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {
namespace {

/// max(log p, -100), whose derivative where it is cut off is 0 at every order. NaN is passed on by both.
Tensor cut_log(const Tensor& p) {
  // A little below e^-100, and log's own hole is out of sight.
  const Tensor small = p <= 3.65e-44;
  return maximum(where(small, -100, log(where(small, 1, p))), -100);
}

/// The same of 1 - p, which has lost a small p. It is cut off at p = 1 alone: next to it 1 - p is a rounding.
Tensor cut_log_of_rest(const Tensor& p) {
  const Tensor whole = p == 1;
  return where(whole, -100, log1p(-where(whole, 0, p)));
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceWithLogitsOptions& options) {
  const detail::Operand operand{"logits", logits};
  detail::check_alike("bce_with_logits", {operand, {"target", target}});
  detail::check_factor("bce_with_logits", {"pos_weight", options.pos_weight}, operand);
  detail::check_factor("bce_with_logits", {"weight", options.weight}, operand);
  // One softplus would do, as max(x, 0) - x y + log(1 + e^-|x|), but it loses small losses in the difference,
  // and its kinks at 0 have subgradients that do not add up. The weight goes before: one of 0 ends an
  // infinite term.
  Tensor negative = 1 - target;
  Tensor positive = options.pos_weight.defined() ? target * options.pos_weight : target;
  if (options.weight.defined()) {
    negative = negative * options.weight;
    positive = positive * options.weight;
  }
  const Tensor items = xtgrad::detail::weighted(negative, softplus(logits)) -
                       xtgrad::detail::weighted(positive, log_sigmoid(logits));
  return detail::reduce(items, options.reduction);
}

Tensor bce(const Tensor& probabilities, const Tensor& target, const BceOptions& options) {
  const detail::Operand operand{"probabilities", probabilities};
  detail::check_alike("bce", {operand, {"target", target}});
  detail::check_factor("bce", {"weight", options.weight}, operand);
  const Tensor p = detail::checked_range("bce", operand, 0, 1);
  Tensor items = (target - 1) * cut_log_of_rest(p) - target * cut_log(p);
  if (options.weight.defined()) items = items * options.weight;
  return detail::reduce(items, options.reduction);
}

}  // namespace xtgrad::v1::nn
