#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"

// Maps, the responses of kernels, as pictures: blue below zero, white at it, red above.

namespace gallery {

using namespace xtgrad;

/// A map [1, 1, h, w] with a larger square for each pixel, and of reach 1: images of any sizes fit one page.
[[nodiscard]] Tensor tile(const Tensor& map, std::int64_t side);

/// A caption with the reach of a map: the largest of its numbers without their signs.
[[nodiscard]] std::string with_reach(const std::string& caption, const Tensor& map);

/// Tiles of one size in rows, over a bar that tells their colours.
[[nodiscard]] plot::Canvas draw_maps(const std::string& title, const std::vector<Tensor>& tiles,
                                     std::vector<std::string> captions, std::int64_t columns);

/// A map's rows one behind another, as `flatten` lays them, with a tick where each begins.
[[nodiscard]] plot::Canvas draw_flat(const Tensor& map, const std::string& caption);

}  // namespace gallery
