// Single operations, forward and backward.

#include "benchmarks/compare/libtorch/helpers.h"

namespace bench {
namespace {

using torch::Tensor;
namespace functional = torch::nn::functional;

constexpr std::int64_t elements = 1'000'000;

std::unique_ptr<Workload> elementwise(const Name& name, float /*rate*/) {
  static const std::map<std::string, Tensor (*)(const Tensor&)> functions = {
      {"tanh", [](const Tensor& x) { return torch::tanh(x); }},
      {"sigmoid", [](const Tensor& x) { return torch::sigmoid(x); }},
      {"exp", [](const Tensor& x) { return torch::exp(x); }},
      {"log", [](const Tensor& x) { return torch::log(x); }},
      {"relu", [](const Tensor& x) { return torch::relu(x); }},
      {"gelu", [](const Tensor& x) { return torch::gelu(x); }},
      {"silu", [](const Tensor& x) { return torch::silu(x); }},
      {"softplus", [](const Tensor& x) { return torch::softplus(x); }},
      {"square_plus", [](const Tensor& x) { return (x + torch::sqrt(torch::square(x) + 4)) * 0.5; }},
      {"chain5", [](const Tensor& x) { return torch::sigmoid(torch::square(torch::tanh(x * 1.1 + 0.3))); }},
      {"clamp", [](const Tensor& x) { return torch::clamp(x, -1, 1); }},
  };
  const auto found = functions.find(name.arguments);
  if (found == functions.end()) return nullptr;
  const Tensor x = leaf(1, {elements}, name.arguments == "log" ? 0.1 : -3, 3);
  return std::make_unique<Differentiated>(
      std::vector{x}, [x, of = found->second] { return of(x); }, input(9, {elements}));
}

std::unique_ptr<Workload> softmax_ce(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> shape = name.numbers();
  const Tensor z = leaf(1, shape, -3, 3), classes = labels(2, shape.at(0), shape.at(1));
  return std::make_unique<Differentiated>(std::vector{z},
                                          [=] { return functional::cross_entropy(z, classes); });
}

std::unique_ptr<Workload> matmul(const Name& name, float /*rate*/) {
  std::vector<std::int64_t> shape = name.numbers();
  if (shape.size() == 1) shape.push_back(shape[0]);
  const Tensor a = leaf(1, shape), b = leaf(2, shape);
  return std::make_unique<Differentiated>(
      std::vector{a, b}, [=] { return torch::matmul(a, b); }, input(9, shape));
}

std::unique_ptr<Workload> conv(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> s = name.numbers();
  const Tensor x = leaf(1, {s.at(0), s.at(1), s.at(2), s.at(2)});
  const Tensor weight = leaf(2, {s.at(3), s.at(1) / s.at(7), s.at(4), s.at(4)});
  const std::int64_t result = (s.at(2) + 2 * s.at(6) - s.at(4)) / s.at(5) + 1;
  return std::make_unique<Differentiated>(
      std::vector{x, weight}, [=] { return torch::conv2d(x, weight, {}, s[5], s[6], 1, s[7]); },
      input(9, {s.at(0), s.at(3), result, result}));
}

}  // namespace

void add_operations(Families& families) {
  families["elementwise"] = elementwise;
  families["softmax_ce"] = softmax_ce;
  families["matmul"] = matmul;
  families["batched_matmul"] = matmul;
  families["conv"] = conv;
}

}  // namespace bench
