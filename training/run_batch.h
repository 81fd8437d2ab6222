#pragma once

#include <cstddef>
#include <string_view>

#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/training/batch_loss.h"
#include "xtgrad/training/loss.h"

namespace xtgrad::inline v1::training::detail {

/// The loss of the model's outputs and a batch's labels, as one of the batch. The model must outlive it.
[[nodiscard]] BatchLoss loss_of_outputs(nn::Module& model, Loss loss);

/// Throws ValueError, on behalf of `function`, for metrics that the loss gives nothing to look at.
void check_outputs(std::string_view function, const BatchLoss& loss, std::size_t metrics);

/// What the batch comes to, with its labels where the loss names no others. Throws ValueError or ShapeError,
/// on behalf of `function`, for a loss that is not one element, and no outputs for that many metrics.
[[nodiscard]] BatchResult run_batch(std::string_view function, const BatchLoss& loss,
                                    const datasets::Batch& batch, std::size_t metrics);

}  // namespace xtgrad::v1::training::detail
