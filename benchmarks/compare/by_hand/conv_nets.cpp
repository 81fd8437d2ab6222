// Training steps of convolutional networks.

#include <array>

#include "benchmarks/compare/by_hand/dense.h"
#include "benchmarks/compare/by_hand/direct_conv.h"
#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/max_pool.h"

namespace bench {
namespace {

/// A stage of the network: a 3x3 convolution of images with a rim, pooled and cut off at 0.
struct Stage {
  Stage(Planes input, std::int64_t filters, std::uint64_t stream)
      : in(input),
        out{filters, input.height, input.width},
        weight(numbers(stream, filters * input.channels * 9, -bound(), bound())),
        bias(numbers(stream + 1, filters, -bound(), bound())),
        taps(offsets_of_taps(in, false)),
        packed(weight.value.size()) {}

  void pack_weights() {
    const std::int64_t k = in.channels * 9;
    pack(
        out.channels, k,
        [&](std::int64_t row, std::int64_t p) { return weight.value[static_cast<std::size_t>(row * k + p)]; },
        packed.data());
  }
  [[nodiscard]] double bound() const { return 1 / std::sqrt(static_cast<double>(in.channels * 9)); }
  /// Elements of the places of one image.
  [[nodiscard]] std::int64_t places() const {
    return out.channels * (out.height / 2) * whole_lanes(out.width / 2);
  }

  Planes in;
  Planes out;  // with a rim, too, which the cotangent has
  Learnt weight;
  Learnt bias;
  std::vector<std::int64_t> taps;
  std::vector<float> packed;
};

/// 1x28x28, two stages of 16 and 32 channels, dense 128 and 10, Adam.
class SmallConvNet final : public Workload {
 public:
  SmallConvNet(std::int64_t batch, float rate)
      : batch_(batch),
        x_(numbers(1, batch * 784, 0, 1)),
        labels_(integers(2, batch, 10)),
        rate_(rate),
        images_(batch * first_.in.image()),
        first_maps_(batch * second_.in.image()),
        features_(batch * features),
        feature_gradients_(batch * features),
        first_places_(batch * first_.places()),
        second_places_(batch * second_.places()),
        product_(16 * first_.out.length()),
        first_cotangents_(chunk * first_.out.image(), first_.out.inside()),
        second_cotangents_(chunk * second_.out.image(), second_.out.inside()),
        hidden_(batch, features, 128, 14),
        scores_(batch, 128, 10, 16) {}

  void step() override {
    forward();
    backward();
    ++steps_;
    for (Learnt* p : learnt()) adam(*p, steps_, rate_);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{loss_}};
    for (const Learnt* p : learnt()) all.push_back(p->gradient);
    return all;
  }

 private:
  static constexpr std::int64_t features = 32 * 7 * 7;
  static constexpr std::int64_t chunk = 4;  // images whose maps and cotangents stay in the second-level cache

  std::array<Learnt*, 8> learnt() {
    return {&first_.weight,  &first_.bias,  &second_.weight, &second_.bias,
            &hidden_.weight, &hidden_.bias, &scores_.weight, &scores_.bias};
  }

  void forward() {
    first_.pack_weights();
    second_.pack_weights();
    for (std::int64_t i = 0; i < batch_; ++i) {
      float* image = images_.data() + i * first_.in.image();
      for (std::int64_t row = 0; row < 28; ++row)
        std::copy_n(x_.data() + (i * 28 + row) * 28, 28,
                    image + first_.in.inside() + row * first_.in.pitch());
      float* maps = first_maps_.data() + i * second_.in.image();
      run(first_, image, maps + second_.in.inside(), second_.in.plane(), second_.in.pitch(),
          first_places_.data() + i * first_.places());
      run(second_, maps, features_.data() + i * features, 49, 7,
          second_places_.data() + i * second_.places());
    }
    hidden_.forward(features_.data(), [](Lane z) { return where(z > 0, z, 0); });
    scores_.forward(hidden_.y.data(), [](Lane z) { return z; });
    loss_ = cross_entropy(batch_, 10, scores_.y.data(), labels_.data(), scores_.dy.data());
  }

  void run(const Stage& stage, const float* x, float* y, std::int64_t y_plane, std::int64_t y_pitch,
           float* places) {
    multiply(stage.out.channels, stage.taps, stage.packed.data(), x, stage.out.length(), product_.data());
    const PooledPlane pooled = pooled_of(stage, stage.out.pitch(), y_pitch);
    for (std::int64_t c = 0; c < stage.out.channels; ++c) {
      pool(pooled, product_.data() + c * stage.out.length(), stage.bias.value[static_cast<std::size_t>(c)],
           y + c * y_plane, places + c * stage.places() / stage.out.channels);
    }
  }

  static PooledPlane pooled_of(const Stage& stage, std::int64_t from_pitch, std::int64_t to_pitch) {
    return {stage.out.height / 2, stage.out.width / 2, from_pitch, to_pitch};
  }

  void backward() {
    scores_.parameter_gradients(hidden_.y.data());
    scores_.input_gradient(hidden_.dy.data());
    map(
        batch_ * 128, hidden_.dy.data(), [](Lane dy, Lane y) { return where(y > 0, dy, 0); },
        hidden_.dy.data(), hidden_.y.data());
    hidden_.parameter_gradients(features_.data());
    hidden_.input_gradient(feature_gradients_.data());

    std::fill(first_.bias.gradient.begin(), first_.bias.gradient.end(), 0.0F);
    std::fill(second_.bias.gradient.begin(), second_.bias.gradient.end(), 0.0F);
    // [in, out * 9]: the input's gradient is the cotangent's convolution with the filters turned round.
    pack(
        16, 32 * 9,
        [&](std::int64_t row, std::int64_t p) {
          return second_.weight.value[static_cast<std::size_t>((p / 9 * 16 + row) * 9 + p % 9)];
        },
        turned_.data());
    for (std::int64_t i = 0; i < batch_; i += chunk) backward_of_images(i, std::min(chunk, batch_ - i));
  }

  void backward_of_images(std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      float* g2 = second_cotangents_.data() + i * second_.out.image();
      spread(second_, feature_gradients_.data() + (first + i) * features, 49, 7,
             second_places_.data() + (first + i) * second_.places(), g2);
      multiply(16, turned_taps_, turned_.data(), g2, second_.in.length(), product_.data());
      spread(first_, product_.data(), second_.in.length(), second_.in.pitch(),
             first_places_.data() + (first + i) * first_.places(),
             first_cotangents_.data() + i * first_.out.image());
    }
    const bool begins = first == 0;
    const bool ends = first + count == batch_;
    second_gradient_.add({.images = count,
                          .g = second_cotangents_.data() + second_.out.inside(),
                          .g_plane = second_.out.plane(),
                          .x = first_maps_.data() + first * second_.in.image(),
                          .x_image = second_.in.image(),
                          .length = second_.out.height * second_.out.pitch(),
                          .first = begins,
                          .last = ends},
                         second_.weight.gradient.data());
    first_gradient_.add({.images = count,
                         .g = first_cotangents_.data() + first_.out.inside(),
                         .g_plane = first_.out.plane(),
                         .x = images_.data() + first * first_.in.image(),
                         .x_image = first_.in.image(),
                         .length = first_.out.height * first_.out.pitch(),
                         .first = begins,
                         .last = ends},
                        first_.weight.gradient.data());
  }

  void spread(Stage& stage, const float* dy, std::int64_t dy_plane, std::int64_t dy_pitch,
              const float* places, float* g) {
    const PooledPlane pooled = pooled_of(stage, stage.out.pitch(), dy_pitch);
    for (std::int64_t c = 0; c < stage.out.channels; ++c) {
      stage.bias.gradient[static_cast<std::size_t>(c)] +=
          unpool(pooled, dy + c * dy_plane, places + c * stage.places() / stage.out.channels,
                 g + c * stage.out.plane() + stage.out.inside());
    }
  }

  std::int64_t batch_;
  Values x_;
  std::vector<std::int64_t> labels_;
  float rate_;
  float loss_ = 0;
  int steps_ = 0;
  Stage first_{{1, 28, 28}, 16, 10};
  Stage second_{{16, 14, 14}, 32, 12};
  std::vector<std::int64_t> turned_taps_ = offsets_of_taps(second_.out, true);
  std::vector<float> turned_ = std::vector<float>(second_.weight.value.size());
  WeightGradient first_gradient_{16, first_.taps};
  WeightGradient second_gradient_{32, second_.taps};
  // Per image: the padded image, the first stage's maps with their rim, the second's as features, where
  // maxima were.
  Room images_, first_maps_, features_, feature_gradients_, first_places_, second_places_;
  Room product_;  // of one image
  Room first_cotangents_, second_cotangents_;
  Dense hidden_, scores_;
};

}  // namespace

void add_conv_nets(Families& families) {
  // On one thread, for the BLAS is the library's, which has one.
  families["convnet_adam"] = [](const Name& name, float rate) -> std::unique_ptr<Workload> {
    if (name.threads != 1) return nullptr;
    return std::make_unique<SmallConvNet>(name.numbers().at(0), rate);
  };
}

}  // namespace bench
