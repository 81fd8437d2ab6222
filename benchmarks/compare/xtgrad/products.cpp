// Matrix products, and an optimizer's step alone.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;

std::unique_ptr<Workload> product_of(const xtgrad::Shape& shape) {
  const Tensor a = leaf(1, shape), b = leaf(2, shape);
  return std::make_unique<Differentiated>(
      std::vector{a, b}, [=] { return matmul(a, b); }, input(9, shape));
}

std::unique_ptr<Workload> square(const Name& name, float /*rate*/) {
  const std::int64_t n = name.numbers().at(0);
  return product_of({n, n});
}

std::unique_ptr<Workload> batched(const Name& name, float /*rate*/) {
  return product_of(xtgrad::Shape(std::span<const std::int64_t>(name.numbers())));
}

/// Adam on so many million parameters, whose gradients stay what they are.
class AdamAlone final : public Workload {
 public:
  AdamAlone(std::int64_t count, double rate)
      : parameter_(input(10, {count})), adam_({parameter_.cell()}, {.lr = rate}) {
    parameter_.set_grad(input(2, {count}));
  }
  void step() override { adam_.step(); }
  std::vector<Values> outputs() override { return {values_of(parameter_.tensor())}; }

 private:
  xtgrad::nn::Parameter parameter_;
  xtgrad::optim::Adam adam_;
};

}  // namespace

void add_products(Families& families) {
  families["matmul"] = square;
  families["batched_matmul"] = batched;
  families["adam"] = [](const Name& name, float rate) {
    return std::make_unique<AdamAlone>(name.numbers().at(0) * 1'000'000, rate);
  };
}

}  // namespace bench
