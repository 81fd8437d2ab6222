#pragma once

#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/common/workload.h"

namespace bench {

// One function a family file.
void add_scalars(Families& families);
void add_networks(Families& families);
void add_operations(Families& families);

inline torch::Tensor input(std::uint64_t stream, const std::vector<std::int64_t>& shape, double low = -1,
                           double high = 1) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  const std::vector<float> values = numbers(stream, count, low, high);
  torch::Tensor tensor = torch::empty(shape);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

inline torch::Tensor labels(std::uint64_t stream, std::int64_t count, std::int64_t end) {
  const std::vector<std::int64_t> values = integers(stream, count, end);
  torch::Tensor tensor = torch::empty({count}, torch::kInt64);
  std::copy(values.begin(), values.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

inline torch::Tensor leaf(std::uint64_t stream, const std::vector<std::int64_t>& shape, double low = -1,
                          double high = 1) {
  return input(stream, shape, low, high).set_requires_grad(true);
}

inline Values values_of(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().contiguous();
  return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
}

/// Forward and backward of a function of leaves.
class Differentiated final : public Workload {
 public:
  /// `cotangent` is that of the result; empty for a loss.
  Differentiated(std::vector<torch::Tensor> leaves, std::function<torch::Tensor()> function,
                 torch::Tensor cotangent = {})
      : leaves_(std::move(leaves)), function_(std::move(function)), cotangent_(std::move(cotangent)) {}

  void step() override {
    for (torch::Tensor& leaf : leaves_) leaf.mutable_grad().reset();
    result_.reset();
    torch::Tensor result = function_();
    result.backward(cotangent_);
    result_ = std::move(result);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{values_of(result_)};
    for (const torch::Tensor& leaf : leaves_) all.push_back(values_of(leaf.grad()));
    return all;
  }

 private:
  std::vector<torch::Tensor> leaves_;
  std::function<torch::Tensor()> function_;
  torch::Tensor cotangent_, result_;
};

/// A training step: loss, gradients, optimizer. Parameters get the numbers that all engines give them.
class Training final : public Workload {
 public:
  Training(std::vector<torch::Tensor> parameters, std::function<torch::Tensor()> loss,
           std::unique_ptr<torch::optim::Optimizer> optimizer)
      : parameters_(std::move(parameters)), loss_(std::move(loss)), optimizer_(std::move(optimizer)) {
    const torch::NoGradGuard no_grad;
    double bound = 1;
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      const std::vector<std::int64_t> shape = parameters_[k].sizes().vec();
      if (shape.size() > 1) bound = 1 / std::sqrt(static_cast<double>(parameters_[k].numel() / shape[0]));
      parameters_[k].copy_(input(10 + k, shape, -bound, bound));
    }
  }

  void step() override {
    optimizer_->zero_grad();
    torch::Tensor loss = loss_();
    loss.backward();
    optimizer_->step();
    last_ = std::move(loss);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{values_of(last_)};
    for (const torch::Tensor& parameter : parameters_) all.push_back(values_of(parameter.grad()));
    return all;
  }

 private:
  std::vector<torch::Tensor> parameters_;
  std::function<torch::Tensor()> loss_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  torch::Tensor last_;
};

}  // namespace bench
