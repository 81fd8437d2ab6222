#pragma once

#include <string>

#include "recorded_graph.h"
#include "xtgrad/plot/canvas.h"

namespace gallery {

/// A network of two layers, two neurons each, drawn as neurons and weights: over each its value, below each
/// its gradient. The graph has tensors called x, W₁, b₁, z₁, a₁, W₂, b₂, z₂, a₂, y and C.
[[nodiscard]] plot::Canvas draw_network(const RecordedGraph& graph);

}  // namespace gallery
