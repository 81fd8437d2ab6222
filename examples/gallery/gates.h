#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/neuron.h"
#include "xtgrad/plot/chart.h"

// Logical gates as neurons: what a single one can compute of two bits, and what it cannot.

namespace gallery {

using namespace xtgrad;

/// All patterns of some bits, [2^bits, bits], such as {{0, 0}, {0, 1}, {1, 0}, {1, 1}}.
[[nodiscard]] Tensor patterns(int bits);

/// A neuron that fires, that is answers 1, where w1 x1 + w2 x2 + bias > 0, and else answers 0.
[[nodiscard]] nn::Neuron gate(double w1, double w2, double bias);

/// 1 where the model's output is above 0, else 0: int64 [n].
[[nodiscard]] Tensor fires(nn::Module& model, const Tensor& points);

/// How many of the four patterns of two bits a model answers as wanted, int64 [4].
[[nodiscard]] int right(nn::Module& model, const Tensor& wanted);

/// Of all gates whose weights and bias are halves from -1.5 to 1.5, the first that does best.
[[nodiscard]] nn::Neuron best_gate(const Tensor& wanted);

/// A network of some hidden neurons and one after them, trained to answer as wanted, from a seed's weights.
[[nodiscard]] nn::MLP trained(const Tensor& wanted, std::int64_t hidden, std::uint64_t seed);
/// Of 20 such networks, each from other weights, those that come to answer as wanted.
[[nodiscard]] std::vector<nn::MLP> learners(const Tensor& wanted, std::int64_t hidden);

/// How many of the 16 functions of two bits some gate computes.
[[nodiscard]] int functions_of_gates();

/// Four points of a plane, and whether the answer there is to be 0 or 1.
struct PatternTask {
  Tensor points;
  Tensor wanted;  // int64 [4]
  plot::Range range = {-0.5, 1.5};
  std::string axis = "x";
};

/// The points in the colours of what is wanted, over the plane in those of a model's answers.
[[nodiscard]] plot::Chart plane(const std::string& title, nn::Module& model, const PatternTask& task);

}  // namespace gallery
