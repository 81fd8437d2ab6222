#include "dead_neurons.h"

#include <xtgrad/training/training.h>
#include <xtgrad/xtgrad.h>

namespace gallery {

namespace {

/// A network that can be asked for the sums in its hidden neurons.
struct Network : nn::Module {
  Network(const datasets::Dataset& data, nn::ActivationKind kind)
      : activation(kind), first{data.sample_shape().numel(), 100}, head{100, data.classes()} {}

  void members(nn::Members& m) override {
    m("first", first);
    m("second", second);
    m("head", head);
  }
  Tensor activate(const Tensor& sums) const { return nn::activate(sums, activation, {.slope = 0.1}); }
  Tensor forward(const Tensor& x) override { return head(activate(second(activate(first(x))))); }

  /// Of both hidden layers, [n, 200].
  Tensor hidden_sums(const Tensor& x) {
    const Tensor sums = first(x);
    return concat({sums, second(activate(sums))}, 1);
  }

  nn::ActivationKind activation;
  nn::Linear first;
  nn::Linear second{100, 100};
  nn::Linear head;
};

double percent_dead(Network& network, const Tensor& samples) {
  const Tensor sums = network.hidden_sums(samples).detach().set_requires_grad();
  const Tensor slopes = grad({sum(network.activate(sums))}, {sums})[0];
  const Tensor steepest = amax(abs(slopes), {.axes = {0}});  // [200]
  return 100 * mean(less(steepest, 1e-3).to(float64)).item();
}

/// Counts after every epoch.
class Census final : public training::Callback {
 public:
  Census(Network& network, const datasets::Dataset& data) : network_(network), data_(data) { count(); }
  void after_epoch(training::Trainer& /*trainer*/, const training::EpochRecord& /*epoch*/) override {
    count();
  }
  [[nodiscard]] const Deaths& result() const { return deaths_; }

 private:
  void count() {
    deaths_.dead.push_back(percent_dead(network_, data_.inputs()));
    const NoGrad no_grad;
    deaths_.loss.push_back(nn::cross_entropy(network_(data_.inputs()), data_.labels()).item());
  }

  Network& network_;
  const datasets::Dataset& data_;
  Deaths deaths_;
};

}  // namespace

Deaths deaths_in_training(const datasets::Dataset& data, const DeathsOptions& options) {
  manual_seed(0);  // the same weights for all, up to their activation
  Network network(data, options.activation);
  optim::Adam adam(network.parameters(), {.lr = options.lr});
  const auto census = std::make_shared<Census>(network, data);
  training::Trainer trainer(network, nn::cross_entropy, adam,
                            datasets::Loader(data, {.batch_size = 64, .shuffle = true}),
                            {.epochs = options.epochs, .callbacks = {census}});
  trainer.fit();
  return census->result();
}

}  // namespace gallery
