// Transformers' layers; what they compute is compared with PyTorch in pytorch_transformers_test.cpp.
#include <doctest/doctest.h>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/nn/transformer_decoder.h"
#include "xtgrad/nn/transformer_encoder.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

nn::TransformerLayerOptions small_layer() {
  return {.d_model = 4,
          .nhead = 2,
          .dim_feedforward = 3,
          .dropout = 0,
          .activation = nn::ActivationKind::tanh,
          .norm_first = true};
}

/// Of one tensor, for the checks of modules.
struct Encoder : nn::Module {
  nn::TransformerEncoder encoder{{.layer = small_layer(), .num_layers = 1, .norm = true}};
  void members(nn::Members& m) override { m("encoder", encoder); }
  Tensor forward(const Tensor& x) override { return encoder(x, {.is_causal = true}); }
};

struct Decoder : nn::Module {
  nn::TransformerDecoder decoder{{.layer = small_layer(), .num_layers = 1}};
  void members(nn::Members& m) override { m("decoder", decoder); }
  Tensor forward(const Tensor& x) override { return decoder(x, 2 * x); }
};

template <class M>
void check() {
  M module, other;
  module.to(float64);
  other.to(float64);
  check_module(module, other, ramp({1, 2, 4}, float64));
  CHECK(module(zeros({0, 3, 4}, {.dtype = float64})).shape() == Shape{0, 3, 4});
}

}  // namespace

TEST_CASE("encoders keep what every module keeps") { check<Encoder>(); }
TEST_CASE("decoders keep what every module keeps") { check<Decoder>(); }

TEST_CASE("layers of a transformer draw parameters of their own") {
  const nn::TransformerEncoder encoder{{.layer = small_layer(), .num_layers = 2}};
  CHECK(encoder.layers.size() == 2);
  CHECK(!encoder.norm.has_value());
  CHECK(elements(encoder.layers[0].linear1.weight) != elements(encoder.layers[1].linear1.weight));
}

TEST_CASE("transformers drop in training alone") {
  manual_seed(4);
  nn::TransformerLayerOptions options = small_layer();
  options.dropout = 0.5;
  nn::TransformerEncoderLayer layer{options};
  const Tensor x = ramp({2, 3, 4});
  CHECK(elements(layer(x)) != elements(layer(x)));
  layer.eval();
  CHECK(elements(layer(x)) == elements(layer(x)));
}

TEST_CASE("transformers say what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::TransformerEncoderLayer({.d_model = 4}).parameters(); }) ==
        "TransformerEncoderLayer: nhead is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::TransformerDecoderLayer({.d_model = 4, .nhead = 3}).parameters();
        }) == "TransformerDecoderLayer: nhead must divide d_model: got 3 heads for 4 features");
  CHECK(message_of<ValueError>([] {
          return nn::TransformerEncoderLayer({.d_model = 4, .nhead = 2, .dropout = -1}).parameters();
        }) == "TransformerEncoderLayer: dropout must be in [0, 1]: got -1");
  CHECK(message_of<ValueError>([] {
          return nn::TransformerEncoder({.layer = small_layer()}).parameters();
        }) == "TransformerEncoder: num_layers is required, and was not given");
  nn::TransformerEncoder encoder{{.layer = small_layer(), .num_layers = 1}};
  CHECK(message_of<ShapeError>([&] {
          return encoder(ramp({2, 3, 5}));
        }) == "LayerNorm (layers.0.norm1): the last dimensions of the input must be [4]: input is [2, 3, 5]");
}
