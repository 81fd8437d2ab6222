// Functions of each of 10^6 elements, and products with a row or a column.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;

constexpr std::int64_t elements = 1'000'000;

struct Function {
  Tensor (*of)(const Tensor&);
  double low = -3;  // the least x
};

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all = {
      {"tanh", {[](const Tensor& x) { return tanh(x); }}},
      {"sigmoid", {[](const Tensor& x) { return sigmoid(x); }}},
      {"exp", {[](const Tensor& x) { return exp(x); }}},
      {"log", {[](const Tensor& x) { return log(x); }, 0.1}},
      {"relu", {[](const Tensor& x) { return relu(x); }}},
      {"gelu", {[](const Tensor& x) { return gelu(x); }}},
      {"silu", {[](const Tensor& x) { return silu(x); }}},
      {"softplus", {[](const Tensor& x) { return softplus(x); }}},
      {"square_plus", {[](const Tensor& x) { return (x + sqrt(square(x) + 4)) * 0.5; }}},
      {"chain5", {[](const Tensor& x) { return sigmoid(square(tanh(x * 1.1 + 0.3))); }}},
      {"clamp", {[](const Tensor& x) { return clamp(x, {.min = -1, .max = 1}); }}},
  };
  return all;
}

std::unique_ptr<Workload> choice() {
  const Tensor a = leaf(1, {elements}), b = leaf(2, {elements});
  const Tensor mask = input(3, {elements}) > 0;
  return std::make_unique<Differentiated>(
      std::vector{a, b}, [=] { return where(mask, a, b); }, input(9, {elements}));
}

/// x [rows, columns] times a row or a column of factors.
std::unique_ptr<Workload> scaled(const xtgrad::Shape& shape, const xtgrad::Shape& factors) {
  const Tensor x = leaf(1, shape), b = leaf(2, factors);
  return std::make_unique<Differentiated>(
      std::vector{x, b}, [=] { return x * b; }, input(9, shape));
}

std::unique_ptr<Workload> make(const Name& name, float /*rate*/) {
  if (const auto found = functions().find(name.arguments); found != functions().end()) {
    const auto [of, low] = found->second;
    const Tensor x = leaf(1, {elements}, low, 3);
    return std::make_unique<Differentiated>(
        std::vector{x}, [x, of = of] { return of(x); }, input(9, {elements}));
  }
  if (name.arguments == "where") return choice();
  if (name.arguments == "mul_column") return scaled({1000, 1000}, {1000, 1});
  if (name.arguments.starts_with("mul_row")) {
    const std::int64_t columns = name.numbers().at(0);
    return scaled({elements / columns, columns}, {columns});
  }
  return nullptr;
}

}  // namespace

void add_elementwise(Families& families) { families["elementwise"] = make; }

}  // namespace bench
