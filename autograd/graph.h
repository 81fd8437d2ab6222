#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

class GraphModules;

/// One tensor of a recorded graph, as it stands at the moment of the look. An operation of several outputs is
/// a node without a value, and each output a node of "part", whose input it is.
struct GraphNode {
  std::string op;          ///< name of the operation, empty for a leaf
  std::string attributes;  ///< such as "axis=1"; empty for most
  std::string name;        ///< of a parameter, or given by set_name
  Shape shape;
  Dtype dtype = Dtype::float32;
  bool requires_grad = false;
  bool has_value = true;         ///< false for an operation of several outputs
  bool freed = false;            ///< a sweep has passed and cut its inputs off
  std::int64_t value_bytes = 0;  ///< of its elements if they are still alive, else 0
  std::vector<std::size_t>
      inputs;               ///< indices of the nodes that a sweep would go on to, or whose values are kept
  std::string module = {};  ///< path in its model of the module that computed it, if a GraphModules knows
};

/// What is recorded behind some tensors: every node once, inputs before the nodes computed from them.
///
/// An input that neither wants a gradient nor is read by a derivative rule was not kept, and does not appear.
struct Graph {
  std::vector<GraphNode> nodes;
  /// Bytes of all elements that are alive in the graph, of what rules keep beside inputs and results as well
  /// (batch_norm's moments, the places of max_pool2d); a buffer shared by several nodes counts once.
  std::int64_t bytes_kept = 0;

  [[nodiscard]] std::size_t edges() const;
  /// Number of nodes made by the operation of that name.
  [[nodiscard]] std::size_t count(std::string_view op) const;
};

/// The graph behind the outputs, found without recursion, in time linear in its size.
[[nodiscard]] Graph graph_of(std::span<const Tensor> outputs);
[[nodiscard]] Graph graph_of(const Tensor& output);
/// The same with the modules that computed the nodes, where `modules` was in scope then.
[[nodiscard]] Graph graph_of(std::span<const Tensor> outputs, const GraphModules& modules);
[[nodiscard]] Graph graph_of(const Tensor& output, const GraphModules& modules);

struct DotOptions {
  std::string title = {};
  bool left_to_right = false;  ///< instead of top to bottom
};
/// The graph in Graphviz's DOT language: parameters and other leaves by name and shape, operations with their
/// attributes and the shape of their result. A module's parameters, known by their names ("hidden.weight" is
/// of "hidden"), and the operations that take them are framed together, as are others which the module is
/// known to have computed. `dot -Tsvg graph.dot -o graph.svg` draws it.
[[nodiscard]] std::string to_dot(const Graph& graph, const DotOptions& options = {});

/// A line a node, for reading in a terminal: `3  tanh  [32, 16]  <- 2`.
[[nodiscard]] std::string to_string(const Graph& graph);
std::ostream& operator<<(std::ostream& out, const Graph& graph);

}}  // namespace xtgrad::v1
