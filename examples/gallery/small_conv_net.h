#pragma once

#include <cstdint>

#include "xtgrad/datasets/dataset.h"
#include "xtgrad/nn/conv_net.h"

// How a small conv net is trained and used where a page is about something else: what it sees, or what is
// near in its features.

namespace gallery {

using namespace xtgrad;

/// By Adam, in batches of 64, with a learning rate that falls from 0.003 to nothing.
void train(nn::ConvNet& net, const datasets::Dataset& data, std::int64_t epochs);

/// How many of the images get the right class, in percent.
[[nodiscard]] double accuracy(nn::ConvNet& net, const datasets::Dataset& data);

/// The numbers that the last layer but one makes of each image, [n, numbers].
[[nodiscard]] Tensor features(nn::ConvNet& net, const datasets::Dataset& data);

}  // namespace gallery
