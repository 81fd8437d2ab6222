#include "xtgrad/nn/margin_losses.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/loss_checks.h"
#include "xtgrad/nn/similarity.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_margin(std::string_view loss, double margin) {
  if (std::isfinite(margin)) return;
  throw ValueError(fmt::format("{}: margin must be finite: got {}", loss, margin));
}

/// A target of 1 and -1 of the given shape, as whether it is 1.
Tensor is_positive(std::string_view loss, const Tensor& target, const Shape& shape,
                   const detail::Operand& operand) {
  if (target.shape() != shape) {
    throw ShapeError(fmt::format("{}: {} {} need a target {}: got {}", loss, operand.name,
                                 to_string(operand.tensor.shape()), to_string(shape),
                                 to_string(target.shape())));
  }
  const bool integer = target.dtype() == int64 || target.dtype() == int32;
  if (!integer && target.dtype() != operand.tensor.dtype()) {
    throw DtypeError(fmt::format("{}: the target must be int64, or {} as {}: got {}", loss,
                                 to_string(operand.tensor.dtype()), operand.name, to_string(target.dtype())));
  }
  const Tensor signs = integer ? target.to(int64) : target;
  return detail::checked_signs(loss, {"target", signs}) == 1;
}

void check_hinge(const Tensor& scores, const Tensor& target, const HingeLossOptions& options) {
  detail::check_operands("hinge_loss", {{"scores", scores}, {"target", target}});
  check_margin("hinge_loss", options.margin);
  if (options.p != 1 && options.p != 2)
    throw ValueError(fmt::format("hinge_loss: p must be 1 or 2: got {}", options.p));
  if (target.dtype() != int64 && target.dtype() != int32) {
    throw DtypeError(
        fmt::format("hinge_loss: the target must be int64 class indices: got {}", to_string(target.dtype())));
  }
  const Shape& shape = scores.shape();
  if (shape.rank() != 1 && shape.rank() != 2) {
    throw ShapeError(
        fmt::format("hinge_loss: scores must be [classes] or [n, classes]: got {}", to_string(shape)));
  }
  const Shape items = shape.rank() == 1 ? Shape{} : Shape{shape[0]};
  if (target.shape() != items) {
    throw ShapeError(fmt::format("hinge_loss: scores {} need class indices {}: got {}", to_string(shape),
                                 to_string(items), to_string(target.shape())));
  }
  const Tensor& weight = options.weight;
  if (!weight.defined()) return;
  if (weight.shape() != Shape{shape.back()}) {
    throw ShapeError(fmt::format("hinge_loss: weight must be [{}], one for each class: got {}", shape.back(),
                                 to_string(weight.shape())));
  }
  if (weight.dtype() != scores.dtype()) {
    throw DtypeError(fmt::format("hinge_loss: weight is {}, the scores are {}", to_string(weight.dtype()),
                                 to_string(scores.dtype())));
  }
}

}  // namespace

Tensor hinge_loss(const Tensor& scores, const Tensor& target, const HingeLossOptions& options) {
  check_hinge(scores, target, options);
  const std::int64_t classes = scores.shape().back();
  // No class is ignored: the least index is none that a target could mean.
  const Tensor y = detail::checked_classes("hinge_loss", target.to(int64), classes,
                                           std::numeric_limits<std::int64_t>::min())
                       .index;
  const Tensor column = reshape(y, {y.numel(), 1});
  const Tensor rows = reshape(scores, Shape{y.numel(), classes});
  const Tensor others = not_equal(arange(classes), column);  // [n, classes]
  // The target's own difference is put at -margin, whose term is exactly 0, also if its score is infinite.
  const Tensor ahead = where(others, rows - gather(rows, 1, column), -options.margin);
  Tensor terms = relu(ahead + options.margin);
  if (options.p == 2) terms = square(terms);
  Tensor items = sum(terms, {.axes = {1}}) / classes;  // [n]
  if (options.weight.defined()) items = items * gather(options.weight, 0, flatten(y));
  return detail::reduce(reshape(items, target.shape()), options.reduction);
}

Tensor hinge_embedding_loss(const Tensor& distances, const Tensor& target,
                            const HingeEmbeddingLossOptions& options) {
  const detail::Operand operand{"distances", distances};
  detail::check_operands("hinge_embedding_loss", {operand, {"target", target}});
  check_margin("hinge_embedding_loss", options.margin);
  const Tensor alike = is_positive("hinge_embedding_loss", target, distances.shape(), operand);
  return detail::reduce(where(alike, distances, relu(options.margin - distances)), options.reduction);
}

Tensor margin_ranking_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                           const MarginRankingLossOptions& options) {
  const detail::Operand operand{"first", first};
  detail::check_operands("margin_ranking_loss", {operand, {"second", second}, {"target", target}});
  detail::check_alike("margin_ranking_loss", {operand, {"second", second}});
  check_margin("margin_ranking_loss", options.margin);
  const Tensor first_higher = is_positive("margin_ranking_loss", target, first.shape(), operand);
  const Tensor d = first - second;
  return detail::reduce(relu(where(first_higher, -d, d) + options.margin), options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options) {
  constexpr std::string_view loss = "triplet_margin_loss";
  detail::check_alike(loss, {{"anchor", anchor}, {"positive", positive}, {"negative", negative}});
  check_margin(loss, options.margin);
  if (!(options.p >= 1)) throw ValueError(fmt::format("{}: p must be at least 1: got {}", loss, options.p));
  if (!(options.eps >= 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", loss, options.eps));
  }
  if (anchor.rank() == 0) throw ShapeError(fmt::format("{}: needs vectors: anchor is []", loss));
  const PairwiseDistanceOptions how{.p = options.p, .eps = options.eps};
  const Tensor near = pairwise_distance(anchor, positive, how);
  Tensor far = pairwise_distance(anchor, negative, how);
  if (options.swap) far = minimum(far, pairwise_distance(positive, negative, how));
  return detail::reduce(relu(near - far + options.margin), options.reduction);
}

Tensor cosine_embedding_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                             const CosineEmbeddingLossOptions& options) {
  constexpr std::string_view loss = "cosine_embedding_loss";
  const detail::Operand operand{"first", first};
  detail::check_operands(loss, {operand, {"second", second}, {"target", target}});
  detail::check_alike(loss, {operand, {"second", second}});
  if (!(options.margin >= -1 && options.margin <= 1))
    throw ValueError(fmt::format("{}: margin must be in [-1, 1]: got {}", loss, options.margin));
  const Shape& shape = first.shape();
  if (shape.rank() != 1 && shape.rank() != 2) {
    throw ShapeError(
        fmt::format("{}: vectors must be [features] or [n, features]: got {}", loss, to_string(shape)));
  }
  const Shape items = shape.rank() == 1 ? Shape{} : Shape{shape[0]};
  const Tensor alike = is_positive(loss, target, items, operand);
  const Tensor cosine = cosine_similarity(first, second, {.axis = -1});
  return detail::reduce(where(alike, 1 - cosine, relu(cosine - options.margin)), options.reduction);
}

}  // namespace xtgrad::v1::nn
