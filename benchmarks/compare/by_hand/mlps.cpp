// Training steps of multi-layer perceptrons.

#include "benchmarks/compare/by_hand/dense.h"
#include "benchmarks/compare/by_hand/families.h"

namespace bench {
namespace {

class Mlp : public Workload {
 public:
  Mlp(const std::vector<std::int64_t>& sizes, std::int64_t batch, std::vector<float> x) : x_(std::move(x)) {
    for (std::size_t k = 0; k + 1 < sizes.size(); ++k)
      layers_.emplace_back(batch, sizes[k], sizes[k + 1], 10 + 2 * k);
  }

  std::vector<Values> outputs() final {
    std::vector<Values> all{{loss_}};
    for (const Dense& layer : layers_) {
      all.push_back(layer.weight.gradient);
      all.push_back(layer.bias.gradient);
    }
    return all;
  }

 protected:
  template <class Activation>
  void forward(const Activation& f) {
    const float* x = x_.data();
    for (Dense& layer : layers_) {
      if (&layer == &layers_.back()) {
        layer.forward(x, [](Lane z) { return z; });
      } else {
        layer.forward(x, f);
      }
      x = layer.y.data();
    }
  }

  /// From dy of the last layer on; f(dy, y) is the activation's rule.
  template <class Rule>
  void backward(const Rule& f) {
    for (std::size_t k = layers_.size(); k-- > 0;) {
      layers_[k].parameter_gradients(k == 0 ? x_.data() : layers_[k - 1].y.data());
      if (k == 0) return;
      Dense& below = layers_[k - 1];
      layers_[k].input_gradient(below.dy.data());
      map(static_cast<std::int64_t>(below.dy.size()), below.dy.data(), f, below.dy.data(), below.y.data());
    }
  }

  std::vector<float> x_;
  std::vector<Dense> layers_;
  float loss_ = 0;
};

/// 784-256-128-10 with relu, cross entropy, and gradient descent with momentum.
class Digits final : public Mlp {
 public:
  Digits(std::int64_t batch, float rate)
      : Mlp({784, 256, 128, 10}, batch, numbers(1, batch * 784, 0, 1)),
        labels_(integers(2, batch, 10)),
        rate_(rate) {}

  void step() override {
    forward([](Lane z) { return where(z > 0, z, 0); });
    Dense& last = layers_.back();
    loss_ = cross_entropy(static_cast<std::int64_t>(labels_.size()), 10, last.y.data(), labels_.data(),
                          last.dy.data());
    backward([](Lane dy, Lane y) { return where(y > 0, dy, 0); });
    for (Dense& layer : layers_) {
      descend(layer.weight, rate_);
      descend(layer.bias, rate_);
    }
  }

 private:
  std::vector<std::int64_t> labels_;
  float rate_;
};

/// On one thread, for the BLAS is the library's, which has one.
template <class Model>
std::unique_ptr<Workload> make(const Name& name, float rate) {
  if (name.threads != 1) return nullptr;
  return std::make_unique<Model>(name.numbers().at(0), rate);
}

}  // namespace

void add_mlps(Families& families) { families["mlp_sgdm"] = make<Digits>; }

}  // namespace bench
