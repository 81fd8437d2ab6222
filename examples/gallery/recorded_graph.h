#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/tensor.h"

// What the engine did to a small computation, with all numbers: forward, and back.

namespace gallery {

using namespace xtgrad;

/// A tensor of the graph: a given one, or the result of an operation.
struct RecordedNode {
  GraphNode graph;  ///< its name, the operation, where its inputs stand
  Tensor value;
  Tensor cotangent = {};            ///< the derivative of the output with respect to it
  std::vector<Tensor> handed = {};  ///< what its rule has handed to each input; none for a given tensor
};

struct RecordedGraph {
  std::vector<RecordedNode> nodes;    ///< in the order of the way forward, inputs first
  std::vector<std::size_t> backward;  ///< the operations, in the order in which their rules ran
};

/// Sweeps back from `output`, whose graph is freed by it. `tensors` are all that it was computed from, by
/// names of their own, and itself; each of them must want a gradient. Throws Error for a tensor of the graph
/// that is not among them.
[[nodiscard]] RecordedGraph record(const Tensor& output, std::span<const Tensor> tensors);

}  // namespace gallery
