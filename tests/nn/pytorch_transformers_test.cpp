// Norms and attention of PyTorch 2.15 are loaded by its own names, and give what they gave there, gradients
// included. pytorch/make_transformers.py made the file.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/instance_norm.h"
#include "xtgrad/nn/layer_norm.h"
#include "xtgrad/nn/multihead_attention.h"
#include "xtgrad/nn/rms_norm.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/nn/transformer_decoder.h"
#include "xtgrad/nn/transformer_encoder.h"

using namespace xtgrad;

namespace {

/// What the file has of one model.
class Golden {
 public:
  explicit Golden(const std::string& model) {
    const std::string file = std::string(XTGRAD_SOURCE_DIR) + "/tests/nn/pytorch/transformers.safetensors";
    const std::string own = model + ".", state = own + "state.";
    for (auto& [name, value] : load_safetensors(file).tensors) {
      if (name.starts_with(state)) state_.add(name.substr(state.size()), value);
      if (name.starts_with(own)) all_.add(name.substr(own.size()), value);
    }
    REQUIRE(!all_.empty());
  }

  [[nodiscard]] Tensor operator[](const std::string& name) const { return all_.at(name); }
  void load_into(nn::ModuleBase& module) const {
    module.load_state_dict(state_);
    for (const auto& [name, value] : module.state_dict()) {
      const auto& shown_name = name;
      CAPTURE(shown_name);
      CHECK((state_.contains(name) || module.state_dict().is_stream(name)));
    }
  }
  /// The result, and the gradients of the sum of its squares in the parameters and in x.
  void check(nn::ModuleBase& module, const Tensor& x, const Tensor& output) const {
    near(output, "out.0");
    sum(square(output)).backward();
    near(x.grad(), "grad.x");
    for (const auto& [name, parameter] : module.named_parameters()) near(parameter->grad(), "grad." + name);
  }
  void near(const Tensor& got, const std::string& name) const {
    CAPTURE(name);
    const Tensor want = all_.at(name);
    REQUIRE(got.shape() == want.shape());
    // Gradients are sums, up to a size of some hundreds.
    CHECK(amax(abs(got.detach() - want)).item() <= 1e-5 * std::max(1.0, amax(abs(want)).item()));
  }

 private:
  nn::StateDict state_, all_;
};

Tensor input_of(const Golden& golden) { return golden["in.x"].set_requires_grad(); }

}  // namespace

TEST_CASE("norms of PyTorch") {
  const Golden rms("rms"), group("group");
  nn::RMSNorm of_rows{{.normalized_shape = {3, 4}}};
  rms.load_into(of_rows);
  const Tensor x = input_of(rms);
  rms.check(of_rows, x, of_rows(x));
  nn::GroupNorm of_groups{{.num_groups = 2, .num_channels = 6}};
  group.load_into(of_groups);
  const Tensor y = input_of(group);
  group.check(of_groups, y, of_groups(y));
}

TEST_CASE("an instance norm of PyTorch, in training and in evaluation") {
  const Golden golden("instance");
  nn::InstanceNorm2d norm{{.num_features = 3, .affine = true, .track_running_stats = true}};
  golden.load_into(norm);
  const Tensor x = input_of(golden);
  golden.check(norm, x, norm(x));
  golden.near(norm.running_mean, "after.running_mean");
  golden.near(norm.running_var, "after.running_var");
  CHECK(norm.num_batches_tracked == 1);
  norm.eval();
  golden.near(norm(x), "after.eval");
}

TEST_CASE("attention of PyTorch, with masks") {
  const Golden golden("attention");
  nn::MultiheadAttention attention{{.embed_dim = 8, .num_heads = 2}};
  golden.load_into(attention);
  const nn::AttentionMasks masks{.attn_mask = golden["in.hidden"], .key_padding_mask = golden["in.padding"]};
  const Tensor x = input_of(golden), key = golden["in.key"];
  const nn::Attended with_weights = attention(x, key, key, {.masks = masks, .need_weights = true});
  golden.near(with_weights.output, "out.0");
  golden.near(with_weights.weights, "out.1");
  const nn::Attended without = attention(x, key, key, {.masks = masks});
  CHECK(!without.weights.defined());
  golden.check(attention, x, without.output);
}

TEST_CASE("attention of PyTorch, of keys and values with other features, and an added mask for each head") {
  const Golden golden("wide");
  nn::MultiheadAttention attention{{.embed_dim = 6, .num_heads = 3, .kdim = 5, .vdim = 4}};
  golden.load_into(attention);
  const Tensor x = input_of(golden), key = golden["in.key"], value = golden["in.value"];
  const nn::AttentionMasks masks{.attn_mask = golden["in.added"]};
  golden.near(
      attention(x, key, value, {.masks = masks, .need_weights = true, .average_weights = false}).weights,
      "out.1");
  golden.check(attention, x, attention(x, key, value, {.masks = masks}).output);
}

TEST_CASE("encoders of PyTorch") {
  const nn::TransformerLayerOptions layer{.d_model = 8, .nhead = 2, .dim_feedforward = 12, .dropout = 0};
  const Golden golden("encoder");
  nn::TransformerEncoder encoder{{.layer = layer, .num_layers = 2}};
  golden.load_into(encoder);
  const Tensor x = input_of(golden);
  golden.check(encoder, x, encoder(x, {.key_padding_mask = golden["in.padding"]}));

  const Golden norm_first("first");
  nn::TransformerLayerOptions other = layer;
  other.activation = nn::ActivationKind::gelu;
  other.norm_first = true;
  other.bias = false;
  nn::TransformerEncoder first{{.layer = other, .num_layers = 1, .norm = true}};
  norm_first.load_into(first);
  const Tensor y = input_of(norm_first);
  norm_first.check(first, y, first(y, {.is_causal = true}));
}

TEST_CASE("decoders of PyTorch") {
  nn::TransformerLayerOptions layer{.d_model = 8, .nhead = 2, .dim_feedforward = 12, .dropout = 0};
  const Golden golden("decoder");
  nn::TransformerDecoder decoder{{.layer = layer, .num_layers = 1, .norm = true}};
  golden.load_into(decoder);
  const Tensor x = input_of(golden);
  golden.check(
      decoder, x,
      decoder(x, golden["in.memory"],
              {.target = {.is_causal = true}, .memory = {.key_padding_mask = golden["in.padding"]}}));

  const Golden norm_first("last");
  layer.norm_first = true;
  nn::TransformerDecoder last{{.layer = layer, .num_layers = 2}};
  norm_first.load_into(last);
  const Tensor y = input_of(norm_first);
  norm_first.check(last, y, last(y, norm_first["in.memory"]));
}
