#include "xtgrad/nn/ctc_loss.h"

#include <limits>

#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {

Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcLossOptions& options) {
  detail::check_operands("ctc_loss", {{"log_probabilities", log_probabilities},
                                      {"targets", targets},
                                      {"input_lengths", input_lengths},
                                      {"target_lengths", target_lengths}});
  Tensor items =
      xtgrad::ctc_loss(log_probabilities, targets, input_lengths, target_lengths, {.blank = options.blank});
  if (options.zero_infinity) items = where(items == std::numeric_limits<double>::infinity(), 0, items);
  if (options.reduction == Reduction::mean) items = items / maximum(target_lengths.to(items.dtype()), 1);
  return detail::reduce(items, options.reduction);
}

}  // namespace xtgrad::v1::nn
