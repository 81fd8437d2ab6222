#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/common/workload.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/xtgrad.h"

namespace bench {

// One function a family file, each of which adds its workloads.
void add_scalars(Families& families);
void add_scalar_programs(Families& families);
void add_mlps(Families& families);
void add_conv_nets(Families& families);
void add_elementwise(Families& families);
void add_rows(Families& families);
void add_products(Families& families);
void add_draws(Families& families);
void add_sequences(Families& families);
void add_derivatives(Families& families);
void add_objectives(Families& families);
void add_long_chains(Families& families);

inline xtgrad::Tensor input(std::uint64_t stream, const xtgrad::Shape& shape, double low = -1,
                            double high = 1) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return xtgrad::from_span(numbers(stream, count, low, high), shape);
}

inline xtgrad::Tensor leaf(std::uint64_t stream, const xtgrad::Shape& shape, double low = -1,
                           double high = 1) {
  xtgrad::Tensor tensor = input(stream, shape, low, high);
  tensor.set_requires_grad();
  return tensor;
}

inline Values values_of(const xtgrad::Tensor& tensor) {
  const auto elements = tensor.data<float>();
  return {elements.begin(), elements.end()};
}

/// True in the engine that runs captured steps; the sources of both are the same.
#ifdef COMPARE_REPLAY
inline constexpr bool replays = true;
#else
inline constexpr bool replays = false;
#endif

/// A step, or the captured one of it.
class Step {
 public:
  Step(std::function<xtgrad::Tensor()> step, const std::vector<xtgrad::CapturedState>& state)
      : step_(std::move(step)) {
    if (replays) captured_.emplace(xtgrad::capture(step_, std::tuple(), state));
  }
  xtgrad::Tensor operator()() { return captured_ ? (*captured_)() : step_(); }

 private:
  std::function<xtgrad::Tensor()> step_;
  std::optional<xtgrad::Captured<xtgrad::Tensor>> captured_;
};

/// Forward and backward of a function of leaves.
class Differentiated final : public Workload {
 public:
  /// `cotangent` is that of the result; empty for a loss.
  Differentiated(std::vector<xtgrad::Tensor> leaves, std::function<xtgrad::Tensor()> function,
                 xtgrad::Tensor cotangent = {})
      : leaves_(std::move(leaves)),
        function_(std::move(function)),
        cotangent_(std::move(cotangent)),
        step_([this] { return differentiate(); }, {leaves_.begin(), leaves_.end()}) {}

  void step() override {
    result_ = {};  // as a program's own would end with its scope
    result_ = step_();
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{values_of(result_)};
    for (const xtgrad::Tensor& leaf : leaves_) all.push_back(values_of(leaf.grad()));
    return all;
  }

 private:
  xtgrad::Tensor differentiate() {
    for (const xtgrad::Tensor& leaf : leaves_) leaf.clear_grad();
    xtgrad::Tensor result = function_();
    result.backward({.gradient = cotangent_});
    return result;
  }

  std::vector<xtgrad::Tensor> leaves_;
  std::function<xtgrad::Tensor()> function_;
  xtgrad::Tensor cotangent_;
  Step step_;
  xtgrad::Tensor result_;
};

/// A training step: loss, gradients, optimizer.
class Training final : public Workload {
 public:
  Training(std::function<xtgrad::Tensor()> loss, std::unique_ptr<xtgrad::optim::Optimizer> optimizer)
      : loss_(std::move(loss)),
        optimizer_(std::move(optimizer)),
        step_([this] { return train(); }, state_of(*optimizer_)) {}

  void step() override { last_ = step_(); }

  std::vector<Values> outputs() override {
    std::vector<Values> all{values_of(last_)};
    for (const auto& parameter : optimizer_->parameters()) {
      const xtgrad::Tensor gradient = parameter->grad();
      // Nothing came where a loss does not depend on a parameter, which is 0 elsewhere.
      all.push_back(gradient.defined() ? values_of(gradient)
                                       : Values(static_cast<std::size_t>(parameter->numel())));
    }
    return all;
  }

 private:
  static std::vector<xtgrad::CapturedState> state_of(xtgrad::optim::Optimizer& optimizer) {
    std::vector<xtgrad::CapturedState> state{&optimizer};
    for (const xtgrad::nn::ParameterRef& parameter : optimizer.parameters()) state.emplace_back(parameter);
    return state;
  }
  xtgrad::Tensor train() {
    optimizer_->zero_grad();
    xtgrad::Tensor loss = loss_();
    loss.backward();
    optimizer_->step();
    return loss;
  }

  std::function<xtgrad::Tensor()> loss_;
  std::unique_ptr<xtgrad::optim::Optimizer> optimizer_;
  Step step_;
  xtgrad::Tensor last_;
};

/// Gives parameter k the numbers of stream 10 + k, in +-1/sqrt(inputs of a neuron), which engines agree on.
inline void set_parameters(const std::vector<xtgrad::nn::ParameterRef>& parameters) {
  double bound = 1;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const xtgrad::Shape& shape = parameters[k]->shape();
    if (shape.rank() > 1) bound = 1 / std::sqrt(static_cast<double>(parameters[k]->numel() / shape[0]));
    parameters[k]->set_value(input(10 + k, shape, -bound, bound));
  }
}

}  // namespace bench
