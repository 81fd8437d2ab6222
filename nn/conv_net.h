#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/conv.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/pool.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct ConvNetOptions {
  std::int64_t in_channels = 1;
  Size2d image = 28;                              ///< height and width of the input
  std::vector<std::int64_t> channels = {16, 32};  ///< output channels of each stage's convolution
  Size2d kernel = 3;                              ///< of every convolution
  /// Of every convolution; (kernel - 1) / 2, which keeps the size if the kernel is odd, if absent.
  std::optional<Size2d> padding = std::nullopt;
  Size2d pool = 2;                           ///< window of every stage's max pooling; 1 for none
  std::vector<std::int64_t> hidden = {128};  ///< features of each dense layer but the last
  std::int64_t classes = 10;
  ActivationKind activation = ActivationKind::relu;
  double slope = 0.01;      ///< of leaky_relu for x < 0
  double alpha = 1;         ///< of elu
  bool batch_norm = false;  ///< after each convolution, which then has no bias
  double dropout = 0;       ///< of the inputs of each dense layer; in [0, 1]
};

/// A convolutional network after LeNet (LeCun et al., "Gradient-based learning applied to document
/// recognition", 1998): stages of convolution, batch normalisation if asked for, activation and max pooling;
/// then dense layers with the activation after each but the last. Images [n, in_channels, height, width] to
/// scores [n, classes].
///
///   nn::ConvNet model{{.image = {8, 8}, .channels = {8, 16}, .hidden = {32}, .batch_norm = true}};
///   Tensor scores = model(randn({4, 1, 8, 8}));                // [4, 10]
///   Tensor maps = model.feature_maps(randn({4, 1, 8, 8}), 0);  // [4, 8, 4, 4]
///
/// Throws ValueError for an option out of range, and ShapeError, with the stage, for an image that gets
/// smaller than a kernel or a pooling window, and for an input that is not such an image.
class ConvNet : public Module {
 public:
  explicit ConvNet(const ConvNetOptions& options = {});

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

  /// What stage number `stage` (counted from 0) makes of the images: [n, channels[stage], h', w']. Throws
  /// ValueError for a stage that is not there.
  [[nodiscard]] Tensor feature_maps(const Tensor& x, std::size_t stage);
  /// What the last layer sees of the images: [n, hidden.back()], or the flat feature maps without hidden
  /// layers.
  [[nodiscard]] Tensor features(const Tensor& x);
  [[nodiscard]] const ConvNetOptions& options() const& { return options_; }
  [[nodiscard]] ConvNetOptions options() const&& { return options_; }

  std::vector<Conv2d> convs;
  std::vector<BatchNorm2d> norms;  // one for each conv; none without batch_norm
  std::vector<MaxPool2d> pools;    // one for each conv; none if pool is 1
  std::vector<Linear> layers;      // the dense layers
  std::vector<Dropout> dropouts;   // one for each dense layer; none without dropout

 private:
  void add_stages();
  void add_layers(std::int64_t flat_features);
  void check_input(const Tensor& x) const;
  [[nodiscard]] Tensor run_stage(const Tensor& x, std::size_t stage);
  [[nodiscard]] Tensor activated(const Tensor& x) const;

  ConvNetOptions options_;
  Size2d last_image_;  // height and width after all stages
};

}}}  // namespace xtgrad::v1::nn
