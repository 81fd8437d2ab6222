#include "xtgrad/optim/residual_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/optim/flat.h"

namespace xtgrad::inline v1::optim::detail {

FlatParameters::FlatParameters(std::string_view function, std::span<const nn::ParameterRef> parameters) {
  for (const nn::ParameterRef& parameter : parameters) {
    if (parameter == nullptr)
      throw ValueError(fmt::format("{}: an empty ref among the parameters", function));
    parameter->adopt();
    if (!parameter->requires_grad()) continue;
    if (std::find(cells_.begin(), cells_.end(), parameter) != cells_.end()) continue;
    cells_.push_back(parameter);
    leaves_.push_back(parameter->tensor());
  }
  if (cells_.empty()) throw ValueError(fmt::format("{}: there are no parameters to change", function));
}

std::int64_t FlatParameters::numel() const {
  std::int64_t n = 0;
  for (const Tensor& leaf : leaves_) n += leaf.numel();
  return n;
}

Dtype FlatParameters::narrowest_dtype() const {
  Dtype narrowest = float64;
  for (const Tensor& leaf : leaves_) {
    if (item_size(leaf.dtype()) < item_size(narrowest)) narrowest = leaf.dtype();
  }
  return narrowest;
}

Tensor FlatParameters::flat(const std::vector<Tensor>& parts) const {
  std::vector<Tensor> pieces;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pieces.push_back(parts[i].defined() ? parts[i].detach() : zeros_like(leaves_[i]));
  }
  return join_flat(pieces, float64);
}

std::vector<Tensor> FlatParameters::parts(const Tensor& flat) const { return split_flat(flat, leaves_); }

void FlatParameters::set_x(const Tensor& x) {
  const NoGrad no_grad;
  const std::vector<Tensor> values = parts(x);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    cells_[i]->set_value(values[i]);
    leaves_[i] = cells_[i]->tensor();
  }
}

ResidualMap::ResidualMap(std::string_view function, const FlatParameters& parameters,
                         const Callable<Tensor()>& residuals)
    : parameters_(&parameters), leaves_(parameters.leaves()) {
  const EnableGrad enabled;
  output_ = residuals();
  nn::detail::Orphans::check_reached(function, output_, parameters.cells());
  const NoGrad no_grad;
  values_ = reshape(output_.detach().to(float64), {output_.numel()});
  cost_ = sum(square(values_)).item() / 2;
}

Tensor ResidualMap::pull(const Tensor& u) const {
  const Tensor cotangent = reshape(u, output_.shape()).to(output_.dtype());
  return parameters_->flat(grad(std::span(&output_, 1), leaves_,
                                {.cotangents = {cotangent}, .keep_graph = true, .allow_unused = true}));
}

Tensor ResidualMap::push(const Tensor& v) {
  const std::vector<Tensor> tangents = parameters_->parts(v);
  if (!dummy_.defined()) {
    const EnableGrad enabled;
    dummy_ = zeros_like(output_).set_requires_grad();
    const std::vector<Tensor> all =
        grad(std::span(&output_, 1), leaves_,
             {.cotangents = {dummy_}, .create_graph = true, .allow_unused = true});
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].defined() || !all[i].requires_grad()) continue;
      pulled_.push_back(all[i]);
      which_.push_back(i);
    }
  }
  if (pulled_.empty()) return zeros_like(values_);
  GradOptions options{.keep_graph = true, .allow_unused = true};
  for (const std::size_t i : which_) options.cotangents.push_back(tangents[i]);
  const Tensor pushed = grad(pulled_, std::span(&dummy_, 1), options)[0];
  if (!pushed.defined()) return zeros_like(values_);
  return reshape(pushed.detach().to(float64), values_.shape());
}

}  // namespace xtgrad::v1::optim::detail
