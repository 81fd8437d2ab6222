// Random numbers, of which engines have other ones.

#include "benchmarks/compare/common/moments.h"
#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;

class Draw final : public Workload {
 public:
  explicit Draw(std::function<Tensor()> draw) : draw_(std::move(draw)) {}
  void step() override { drawn_ = draw_(); }
  std::vector<Values> outputs() override { return {moments(values_of(drawn_))}; }

 private:
  std::function<Tensor()> draw_;
  Tensor drawn_;
};

/// Forward and backward of dropout, p = 1/2, of 10^6 ones.
class Dropped final : public Workload {
 public:
  void step() override {
    x_.clear_grad();
    y_ = {};
    y_ = dropout_(x_);
    y_.backward({.gradient = g_});
  }
  std::vector<Values> outputs() override { return {moments(values_of(y_)), moments(values_of(x_.grad()))}; }

 private:
  Tensor x_ = xtgrad::ones({1'000'000}, {.requires_grad = true});
  Tensor g_ = xtgrad::ones({1'000'000});
  xtgrad::nn::Dropout dropout_;
  Tensor y_;
};

}  // namespace

void add_draws(Families& families) {
  families["randn"] = [](const Name&, float) {
    return std::make_unique<Draw>([] { return xtgrad::randn({1'000'000}); });
  };
  families["uniform"] = [](const Name&, float) {
    return std::make_unique<Draw>([] { return xtgrad::uniform({1'000'000}); });
  };
  families["dropout"] = [](const Name&, float) { return std::make_unique<Dropped>(); };
}

}  // namespace bench
