// A model trained by PyTorch 1.13 is loaded by its own names, and computes what it computed there.
// pytorch/make_conv_net.py made the file.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/conv.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/pool.h"

using namespace xtgrad;
using nn::StateDict;

namespace {

struct ConvNet : nn::Module {
  nn::Conv2d conv1{{.in_channels = 2, .out_channels = 4, .kernel = 3, .padding = 1}};
  nn::BatchNorm2d bn1{{.num_features = 4}};
  nn::MaxPool2d pool{{.kernel = 2}};
  nn::Conv2d conv2{{.in_channels = 4,
                    .out_channels = 6,
                    .kernel = {3, 2},
                    .stride = {2, 1},
                    .padding = {1, 0},
                    .dilation = {1, 2},
                    .groups = 2,
                    .bias = false}};
  nn::BatchNorm2d bn2{{.num_features = 6, .eps = 1e-3, .momentum = 0.3}};
  nn::Linear head{24, 3};

  void members(nn::Members& m) override {
    m("conv1", conv1);
    m("bn1", bn1);
    m("conv2", conv2);
    m("bn2", bn2);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override {     // [n, 2, 9, 8]
    const Tensor y = pool(relu(bn1(conv1(x))));  // [n, 4, 4, 4]
    return head(flatten(relu(bn2(conv2(y))), 1));
  }
};

/// What the file holds: the model's state, and what the model must give.
struct PyTorchFile {
  StateDict state;
  StateDict expected;  // names without "check."
};

PyTorchFile load_file() {
  PyTorchFile file;
  const std::string prefix = "check.";
  for (auto& [name, value] :
       load_safetensors(std::string(XTGRAD_SOURCE_DIR) + "/tests/nn/pytorch/conv_net.safetensors").tensors) {
    if (name.starts_with(prefix)) {
      file.expected.add(name.substr(prefix.size()), value);
    } else {
      file.state.add(std::move(name), value);
    }
  }
  return file;
}

double worst_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return amax(abs(a.detach() - b)).item();
}

}  // namespace

TEST_CASE("a conv net saved by PyTorch loads by name and gives PyTorch's outputs") {
  const PyTorchFile file = load_file();
  ConvNet model;
  model.load_state_dict(file.state);
  CHECK(model.bn1.num_batches_tracked == 20);
  model.eval();
  const Tensor output = model(file.expected.at("input"));
  CHECK(worst_difference(output, file.expected.at("output")) < 1e-5);
}

TEST_CASE("a conv net saved by PyTorch has PyTorch's loss, gradients and running statistics in training") {
  const PyTorchFile file = load_file();
  ConvNet model;
  model.load_state_dict(file.state);
  const Tensor loss = nn::cross_entropy(model(file.expected.at("input")), file.expected.at("labels"));
  CHECK(std::abs(loss.item() - file.expected.at("loss").item()) < 1e-5);
  loss.backward();
  for (const auto& [name, parameter] : model.named_parameters()) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    REQUIRE(parameter->grad().defined());
    CHECK(worst_difference(parameter->grad(), file.expected.at("grad." + name)) < 1e-5);
  }
  CHECK(model.named_parameters().size() == 9);
  const StateDict after = model.state_dict();
  for (const std::string layer : {"bn1", "bn2"}) {
    for (const std::string buffer : {".running_mean", ".running_var"}) {
      CAPTURE(layer + buffer);
      CHECK(worst_difference(after.at(layer + buffer), file.expected.at("after." + layer + buffer)) < 1e-5);
      CHECK(worst_difference(after.at(layer + buffer), file.state.at(layer + buffer)) > 1e-4);
    }
    CHECK(after.at(layer + ".num_batches_tracked").item_int64() == 21);
  }
}

TEST_CASE("our state of that conv net has PyTorch's names, shapes and dtypes") {
  const PyTorchFile file = load_file();
  const StateDict ours = ConvNet().state_dict();
  CHECK(ours.size() == file.state.size());
  for (const auto& [name, value] : ours) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    REQUIRE(file.state.contains(name));
    CHECK(value.shape() == file.state.at(name).shape());
    CHECK(value.dtype() == file.state.at(name).dtype());
  }
}
