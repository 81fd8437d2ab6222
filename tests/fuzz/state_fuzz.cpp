// A state of a model and its optimizer, changed as the bytes say, loaded, and two steps made from there: it
// is refused with an Error and everything is as it was, or it is loaded and the training goes on. Where all
// numbers that were loaded are ordinary ones, so are the weights after two steps.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/choices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/regression_losses.h"
#include "xtgrad/optim/optim.h"

using namespace xtgrad;

namespace {

struct Model : nn::Module {
  nn::Linear first{3, 4};
  nn::BatchNorm1d norm{{.num_features = 4}};
  nn::Dropout dropout{{.p = 0.3}};
  nn::Linear last{4, 1};

  Tensor forward(const Tensor& x) override { return last(dropout(tanh(norm(first(x))))); }
  void members(nn::Members& m) override {
    m("first", first);
    m("norm", norm);
    m("dropout", dropout);
    m("last", last);
  }
};

using Parameters = std::vector<nn::ParameterRef>;
using Make = std::unique_ptr<optim::Optimizer> (*)(const Parameters&);

template <class T, class Options>
std::unique_ptr<optim::Optimizer> made(const Parameters& parameters, const Options& options) {
  return std::make_unique<T>(parameters, options);
}

constexpr std::array<Make, 15> optimizers{
    [](const Parameters& p) { return made<optim::SGD>(p, optim::SGDOptions{.lr = 0.01}); },
    [](const Parameters& p) { return made<optim::SGD>(p, optim::SGDOptions{.lr = 0.01, .momentum = 0.9}); },
    [](const Parameters& p) { return made<optim::Adam>(p, optim::AdamOptions{}); },
    [](const Parameters& p) { return made<optim::Adam>(p, optim::AdamOptions{.amsgrad = true}); },
    [](const Parameters& p) { return made<optim::AdamW>(p, optim::AdamWOptions{}); },
    [](const Parameters& p) { return made<optim::RMSProp>(p, optim::RMSPropOptions{}); },
    [](const Parameters& p) {
      return made<optim::RMSProp>(p, optim::RMSPropOptions{.momentum = 0.9, .centered = true});
    },
    [](const Parameters& p) { return made<optim::Adagrad>(p, optim::AdagradOptions{.lr_decay = 0.1}); },
    [](const Parameters& p) { return made<optim::Adadelta>(p, optim::AdadeltaOptions{}); },
    [](const Parameters& p) { return made<optim::Adamax>(p, optim::AdamaxOptions{}); },
    [](const Parameters& p) { return made<optim::NAdam>(p, optim::NAdamOptions{}); },
    [](const Parameters& p) { return made<optim::RAdam>(p, optim::RAdamOptions{}); },
    [](const Parameters& p) { return made<optim::Rprop>(p, optim::RpropOptions{}); },
    [](const Parameters& p) { return made<optim::ASGD>(p, optim::ASGDOptions{}); },
    [](const Parameters& p) { return made<optim::Lion>(p, optim::LionOptions{}); },
};

/// A model in training with its optimizer, and the state of both.
struct Training : nn::Stateful {
  explicit Training(Make make) : optimizer(make(model.parameters())) {}
  void members(nn::Members& m) override {
    m("model", model);
    m("optimizer", *optimizer);
  }
  void step() {
    const Tensor x = tensor({{0.5, -1, 2}, {1, 0.25, -0.5}, {-2, 1, 0}, {0.125, 3, 1}});
    const Tensor y = tensor({{1}, {0}, {-1}, {0.5}});
    optimizer->zero_grad();
    nn::mse_loss(model(x), y).backward();
    optimizer->step();
  }

  Model model;
  std::unique_ptr<optim::Optimizer> optimizer;
};

/// The bits of all there is.
std::string bits(const Training& training) {
  const nn::StateDict state = training.state_dict();
  return encode_safetensors({.tensors = {state.begin(), state.end()}});
}

// --- The changes ---------------------------------------------------------------------------------------

/// The tensor with one element changed; a counter's may become any integer, and a number's any number.
Tensor with_element(fuzz::Choices& choices, const Tensor& x) {
  const auto n = static_cast<std::size_t>(x.numel());
  if (n == 0) return x;
  const std::size_t at = choices.below(n);
  if (x.dtype() == int64) {
    std::vector<std::int64_t> elements(x.data<std::int64_t>().begin(), x.data<std::int64_t>().end());
    elements[at] = choices.integer();
    return from_span(std::span<const std::int64_t>(elements), x.shape());
  }
  if (x.dtype() != float32 && x.dtype() != float64) return x;
  const Tensor wide = x.to(float64);
  std::vector<double> elements(wide.data<double>().begin(), wide.data<double>().end());
  elements[at] = choices.number();
  try {
    return from_span(std::span<const double>(elements), x.shape(), {.dtype = x.dtype()});
  } catch (const DtypeError&) {
    return x;  // 1e300 is no float32
  }
}

nn::StateDict changed(fuzz::Choices& choices, const nn::StateDict& before) {
  std::vector<NamedTensor> entries(before.begin(), before.end());
  while (!choices.empty() && !entries.empty()) {
    const std::size_t kind = choices.below(16);
    NamedTensor& entry = entries[choices.below(entries.size())];
    switch (kind) {
      case 0:
        entries.erase(entries.begin() + (&entry - entries.data()));
        break;
      case 1:
        entry.name += "x";
        break;
      case 2:
        std::swap(entry.value, entries[choices.below(entries.size())].value);
        break;
      case 3:
        entry.value = zeros(fuzz::small_shape(choices), {.dtype = entry.value.dtype()});
        break;
      case 4:
        entry.value =
            entry.value.to(choices.among(std::array{float32, float64, int64, int32, uint8, boolean}));
        break;
      case 5:
        entry.value = reshape(entry.value, {-1});
        break;
      default:
        entry.value = with_element(choices, entry.value);
        break;
    }
  }
  nn::StateDict result;
  for (const NamedTensor& entry : entries) result.set(entry.name, entry.value);
  return result;
}

bool all_ordinary(const nn::StateDict& state) {
  constexpr double large = 1e3;
  for (const NamedTensor& entry : state) {
    if (entry.value.dtype() != float32 && entry.value.dtype() != float64) continue;
    const Tensor wide = entry.value.to(float64);
    for (const double element : wide.data<double>()) {
      if (!(std::abs(element) <= large)) return false;
    }
  }
  return true;
}

bool all_finite(const Training& training) {
  for (const NamedTensor& entry : training.state_dict()) {
    if (entry.value.dtype() != float32 && entry.value.dtype() != float64) continue;
    const Tensor wide = entry.value.to(float64);
    for (const double element : wide.data<double>()) {
      if (!std::isfinite(element)) return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices({data, size});
  manual_seed(1);
  Training training(choices.among(optimizers));
  if (choices.flag()) training.step();
  const nn::LoadOptions options{.strict = choices.flag(), .adopt_settings = choices.flag()};
  nn::StateDict state;
  try {
    state = changed(choices, training.state_dict());
  } catch (const Error&) {
    return 0;  // such as to(bool) of a NaN: no state has been made
  }
  const std::string before = bits(training);
  try {
    training.load_state_dict(state, options);
  } catch (const InternalError&) {
    std::abort();
  } catch (const Error&) {
    if (bits(training) != before) std::abort();
    return 0;
  }
  const bool ordinary = all_ordinary(training.state_dict());
  try {
    for (int i = 0; i < 2; ++i) training.step();
  } catch (const InternalError&) {
    std::abort();
  } catch (const Error&) {
    return 0;
  }
  if (ordinary && !all_finite(training)) std::abort();
  return 0;
}
