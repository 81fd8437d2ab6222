// Derivatives of derivatives, a variational autoencoder, and a graph of ten million nodes.

#include <numbers>

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;
namespace nn = xtgrad::nn;

std::vector<nn::ParameterRef> dense_parameters(const std::vector<std::int64_t>& sizes) {
  std::vector<nn::ParameterRef> parameters;
  for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
    parameters.push_back(std::make_shared<nn::ParameterCell>(xtgrad::zeros({sizes[k + 1], sizes[k]})));
    parameters.push_back(std::make_shared<nn::ParameterCell>(xtgrad::zeros({sizes[k + 1]})));
  }
  set_parameters(parameters);
  return parameters;
}

std::vector<Tensor> tensors_of(const std::vector<nn::ParameterRef>& parameters) {
  std::vector<Tensor> tensors;
  for (const auto& p : parameters) tensors.push_back(p->tensor());
  return tensors;
}

using Activation = Tensor (*)(const Tensor&);

Tensor dense(std::span<const Tensor> p, Tensor x, Activation f) {
  for (std::size_t k = 0; k < p.size(); k += 2) {
    x = matmul(x, p[k], {.transpose_b = true}) + p[k + 1];
    if (k + 2 < p.size()) x = f(x);
  }
  return x;
}

Tensor relu_of(const Tensor& x) { return relu(x); }
Tensor tanh_of(const Tensor& x) { return tanh(x); }

std::unique_ptr<Workload> training(std::function<Tensor()> loss, std::vector<nn::ParameterRef> parameters,
                                   float rate) {
  return std::make_unique<Training>(
      std::move(loss),
      std::make_unique<xtgrad::optim::Adam>(std::move(parameters), xtgrad::optim::AdamOptions{.lr = rate}));
}

/// The Hessian of an MLP's loss times a vector: the gradient of <gradient, v>.
class Hvp final : public Workload {
 public:
  explicit Hvp(std::int64_t batch)
      : x_(input(1, {batch, 784}, 0, 1)),
        labels_(xtgrad::from_vector(integers(2, batch, 10))),
        parameters_(tensors_of(dense_parameters({784, 256, 128, 10}))) {
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      parameters_[k] = parameters_[k].detach().set_requires_grad();
      vectors_.push_back(input(50 + k, parameters_[k].shape()));
    }
  }

  void step() override {
    if (replays && !captured_)
      captured_.emplace(xtgrad::capture([this] { return multiply(); }, std::tuple(),
                                        {parameters_.begin(), parameters_.end()}));
    std::tie(loss_, products_) = captured_ ? (*captured_)() : multiply();
  }
  std::vector<Values> outputs() override {
    std::vector<Values> all{values_of(loss_)};
    for (const Tensor& product : products_) all.push_back(values_of(product));
    return all;
  }

 private:
  using Result = std::pair<Tensor, std::vector<Tensor>>;

  Result multiply() {
    Tensor loss = nn::cross_entropy(dense(parameters_, x_, tanh_of), labels_);
    const std::vector<Tensor> gradients = grad({loss}, parameters_, {.create_graph = true});
    return {loss, grad(gradients, parameters_, {.cotangents = vectors_})};
  }

  Tensor x_, labels_;
  std::vector<Tensor> parameters_, vectors_, products_;
  Tensor loss_;
  std::optional<xtgrad::Captured<Result>> captured_;
};

/// u'' = -pi^2 sin(pi x) by a network 1-32-32-1: the loss has second derivatives of it in x.
std::unique_ptr<Workload> pinn(const Name& name, float rate) {
  const auto parameters = dense_parameters({1, 32, 32, 1});
  const Tensor points = input(1, {name.numbers().at(0), 1}, 0, 1);
  const Tensor force = (xtgrad::sin(points * std::numbers::pi) * (std::numbers::pi * std::numbers::pi));
  return training(
      [=] {
        const Tensor x = points.detach().set_requires_grad();
        const Tensor u = dense(tensors_of(parameters), x, tanh_of);
        const Tensor slope = grad({sum(u)}, x, {.create_graph = true});
        const Tensor curvature = grad({sum(slope)}, x, {.create_graph = true});
        return mean(square(curvature + force));
      },
      parameters, rate);
}

/// The loss of five sines after one step of gradient descent on each.
std::unique_ptr<Workload> maml(const Name& name, float rate) {
  const auto parameters = dense_parameters({1, 40, 40, 1});
  struct Task {
    Tensor x, y, later_x, later_y;
  };
  std::vector<Task> tasks;
  for (std::uint64_t t = 0; t < static_cast<std::uint64_t>(name.numbers().at(0)); ++t) {
    tasks.push_back({input(100 + 4 * t, {10, 1}), input(101 + 4 * t, {10, 1}), input(102 + 4 * t, {10, 1}),
                     input(103 + 4 * t, {10, 1})});
  }
  return training(
      [=] {
        const std::vector<Tensor> start = tensors_of(parameters);
        Tensor total;
        for (const Task& task : tasks) {
          const Tensor loss = nn::mse_loss(dense(start, task.x, relu_of), task.y);
          const std::vector<Tensor> gradients = grad({loss}, start, {.create_graph = true});
          std::vector<Tensor> moved;
          for (std::size_t k = 0; k < start.size(); ++k) moved.push_back(start[k] - gradients[k] * 0.1);
          const Tensor later = nn::mse_loss(dense(moved, task.later_x, relu_of), task.later_y);
          total = total.defined() ? total + later : later;
        }
        return total / static_cast<double>(tasks.size());
      },
      parameters, rate);
}

/// 784-256-2x16 and back: cross entropy of pixels and the divergence from the normal distribution.
std::unique_ptr<Workload> vae(const Name& name, float rate) {
  const std::int64_t batch = name.numbers().at(0);
  auto parameters = dense_parameters({784, 256, 32});
  for (const auto& p : dense_parameters({16, 256, 784})) parameters.push_back(p);
  set_parameters(parameters);
  const Tensor x = input(1, {batch, 784}, 0, 1), noise = input(3, {batch, 16});
  return training(
      [=] {
        const std::vector<Tensor> p = tensors_of(parameters);
        const std::vector<Tensor> code = split(dense(std::span(p).first(4), x, relu_of), 16, 1);
        const Tensor& mu = code[0];
        const Tensor& log_variance = code[1];
        const Tensor z = mu + exp(log_variance * 0.5) * noise;
        const Tensor scores = dense(std::span(p).last(4), z, relu_of);
        const Tensor pixels = sum(softplus(scores) - x * scores);
        const Tensor divergence = sum(square(mu) + exp(log_variance) - log_variance - 1) * 0.5;
        return (pixels + divergence) / static_cast<double>(batch);
      },
      parameters, rate);
}

}  // namespace

void add_derivatives(Families& families) {
  families["hvp_mlp"] = [](const Name& name, float) { return std::make_unique<Hvp>(name.numbers().at(0)); };
  families["pinn_step"] = pinn;
  families["maml"] = maml;
  families["vae_step"] = vae;
}

}  // namespace bench
