#pragma once

// The training step of a multi-layer perceptron as one would write it by hand: BLAS for the products, plain
// loops for the rest, all memory allocated once. What xtgrad's step is measured against.

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

class HandWrittenMlp {
 public:
  HandWrittenMlp(std::vector<int> sizes, int batch) : sizes_(std::move(sizes)), batch_(batch) {
    for (std::size_t l = 0; l + 1 < sizes_.size(); ++l) {
      const auto in = static_cast<std::size_t>(sizes_[l]);
      const auto out = static_cast<std::size_t>(sizes_[l + 1]);
      layers_.emplace_back(in * out, out, out * static_cast<std::size_t>(batch));
      for (std::size_t i = 0; i < in * out; ++i) {
        layers_[l].weight.value[i] = 0.05F * std::sin(static_cast<float>(i));
      }
    }
  }

  /// One step of Adam on the mean cross-entropy; returns the loss.
  float step(const float* x, const std::int64_t* labels) {
    forward(x);
    const float loss = loss_and_gradient(labels);
    backward(x);
    ++steps_;
    for (Layer& layer : layers_) {
      adam(layer.weight);
      adam(layer.bias);
    }
    return loss;
  }

 private:
  struct Learnt {
    explicit Learnt(std::size_t n) : value(n), gradient(n), first(n), second(n) {}
    std::vector<float> value, gradient, first, second;
  };
  struct Layer {
    Layer(std::size_t weights, std::size_t biases, std::size_t outputs)
        : weight(weights), bias(biases), output(outputs), delta(outputs) {}
    Learnt weight;  // [out, in]
    Learnt bias;    // [out]
    std::vector<float> output, delta;
  };

  void forward(const float* x) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      Layer& layer = layers_[l];
      const int in = sizes_[l];
      const int out = sizes_[l + 1];
      const float* input = l == 0 ? x : layers_[l - 1].output.data();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch_, out, in, 1, input, in,
                  layer.weight.value.data(), in, 0, layer.output.data(), out);
      const bool last = l + 1 == layers_.size();
      for (int row = 0; row < batch_; ++row) {
        float* y = layer.output.data() + static_cast<std::ptrdiff_t>(row) * out;
        for (int j = 0; j < out; ++j) {
          const float z = y[j] + layer.bias.value[static_cast<std::size_t>(j)];
          y[j] = last || z > 0 ? z : 0;
        }
      }
    }
  }

  float loss_and_gradient(const std::int64_t* labels) {
    Layer& layer = layers_.back();
    const int classes = sizes_.back();
    float loss = 0;
    for (int row = 0; row < batch_; ++row) {
      const float* z = layer.output.data() + static_cast<std::ptrdiff_t>(row) * classes;
      float* d = layer.delta.data() + static_cast<std::ptrdiff_t>(row) * classes;
      const float top = *std::max_element(z, z + classes);
      float total = 0;
      for (int j = 0; j < classes; ++j) total += d[j] = std::exp(z[j] - top);
      for (int j = 0; j < classes; ++j) d[j] /= total * static_cast<float>(batch_);
      loss -= z[labels[row]] - top - std::log(total);
      d[labels[row]] -= 1.0F / static_cast<float>(batch_);
    }
    return loss / static_cast<float>(batch_);
  }

  void backward(const float* x) {
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Layer& layer = layers_[l];
      const int in = sizes_[l];
      const int out = sizes_[l + 1];
      const float* input = l == 0 ? x : layers_[l - 1].output.data();
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, batch_, 1, layer.delta.data(), out, input,
                  in, 0, layer.weight.gradient.data(), in);
      std::fill(layer.bias.gradient.begin(), layer.bias.gradient.end(), 0.0F);
      for (int row = 0; row < batch_; ++row) {
        const float* d = layer.delta.data() + static_cast<std::ptrdiff_t>(row) * out;
        for (int j = 0; j < out; ++j) layer.bias.gradient[static_cast<std::size_t>(j)] += d[j];
      }
      if (l == 0) continue;
      Layer& below = layers_[l - 1];
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch_, in, out, 1, layer.delta.data(), out,
                  layer.weight.value.data(), in, 0, below.delta.data(), in);
      for (std::size_t i = 0; i < below.delta.size(); ++i) {
        below.delta[i] = below.output[i] > 0 ? below.delta[i] : 0;
      }
    }
  }

  void adam(Learnt& p) const {
    constexpr float beta1 = 0.9F;
    constexpr float beta2 = 0.999F;
    const auto t = static_cast<float>(steps_);
    const float rate = 1e-3F / (1 - std::pow(beta1, t));
    const float root = std::sqrt(1 - std::pow(beta2, t));
    for (std::size_t i = 0; i < p.value.size(); ++i) {
      const float g = p.gradient[i];
      p.first[i] = beta1 * p.first[i] + (1 - beta1) * g;
      p.second[i] = beta2 * p.second[i] + (1 - beta2) * g * g;
      p.value[i] -= rate * p.first[i] / (std::sqrt(p.second[i]) / root + 1e-8F);
    }
  }

  std::vector<int> sizes_;
  int batch_;
  int steps_ = 0;
  std::vector<Layer> layers_;
};
