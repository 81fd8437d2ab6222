#include "xtgrad/autograd/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/observe/graph_modules.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Node;
using detail::node_of;
using detail::Slot;

/// Every node behind the outputs, once, by ascending id: an input's id is smaller than its consumers'.
std::vector<Node*> reachable(std::span<const Tensor> outputs) {
  std::unordered_set<const Node*> seen;
  std::vector<Node*> order;
  const auto visit = [&](Node& node) {
    if (seen.insert(&node).second) order.push_back(&node);
  };
  for (const Tensor& output : outputs) visit(node_of(output));
  // NOLINTNEXTLINE(modernize-loop-convert): the order grows meanwhile
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const Slot& slot : order[next]->slots()) {
      if (!slot.empty()) visit(node_of(*slot.node()));
    }
  }
  std::stable_sort(order.begin(), order.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  return order;
}

GraphNode describe(const Node& node) {
  GraphNode result;
  if (node.recorded()) {
    result.op = node.primitive().name();
    result.attributes = detail::attribute_text(node.primitive());
  }
  if (const auto* state = node.leaf_state()) result.name = state->gradient->name();
  result.shape = node.array.shape;
  result.dtype = node.array.dtype;
  result.requires_grad = node.requires_grad();
  result.has_value = !node.has(Node::parts_flag) || detail::part_at(node) != nullptr;
  result.freed = node.has(Node::freed_flag);
  result.value_bytes = static_cast<std::int64_t>(node.array.buffer.bytes());
  return result;
}

/// Text inside a double-quoted DOT string.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::string dot_node(std::size_t index, const GraphNode& node) {
  const bool leaf = node.op.empty();
  std::string label = leaf ? node.name : node.op;
  if (leaf && label.empty()) label = node.requires_grad ? "leaf" : "constant";
  if (!node.attributes.empty()) label += fmt::format(" ({})", node.attributes);
  if (!leaf && !node.name.empty()) label = fmt::format("{} = {}", node.name, label);
  if (node.has_value) label += fmt::format("\n{} {}", to_string(node.dtype), to_string(node.shape));
  const std::string_view style = !leaf ? "shape=box, style=\"rounded,filled\", fillcolor=\"#eef2f7\""
                                 : node.requires_grad ? "shape=box, style=filled, fillcolor=\"#ffe3b3\""
                                                      : "shape=ellipse, style=filled, fillcolor=\"#e3e3e3\"";
  return fmt::format("  n{} [label=\"{}\", {}];\n", index, escaped(label), style);
}

/// Of the parameter "hidden.weight" the module "hidden"; empty for a name without a path.
std::string_view module_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

/// True for a module with others in it, whose own operations stand between theirs: one frame of them all
/// would be drawn across the picture.
bool holds_others(std::string_view module, const std::set<std::string_view>& modules) {
  const std::string prefix = std::string(module) + ".";
  const auto next = modules.lower_bound(prefix);
  return next != modules.end() && next->starts_with(prefix);
}

/// The module that each node is drawn in: that of a parameter, of an operation which takes parameters of one
/// module alone, and else the one that is known to have computed it. Others stand outside.
std::vector<std::string_view> modules_of(const Graph& graph) {
  std::vector<std::string_view> modules(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    if (node.op.empty()) {
      if (node.requires_grad) modules[i] = module_of(node.name);
      continue;
    }
    bool is_one = true;
    for (const std::size_t input : node.inputs) {
      if (!graph.nodes[input].op.empty() || modules[input].empty()) continue;
      is_one = is_one && (modules[i].empty() || modules[i] == modules[input]);
      modules[i] = modules[input];
    }
    if (!is_one) modules[i] = {};
  }
  std::set<std::string_view> all(modules.begin(), modules.end());
  for (const GraphNode& node : graph.nodes) all.insert(node.module);
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const std::string_view ran_in = graph.nodes[i].module;
    if (modules[i].empty() && !ran_in.empty() && !holds_others(ran_in, all)) modules[i] = ran_in;
  }
  return modules;
}

/// Its nodes, those of a module together in a frame with its name, in the order in which modules come up.
std::string dot_nodes(const Graph& graph) {
  const std::vector<std::string_view> modules = modules_of(graph);
  std::vector<std::string_view> order;
  std::unordered_map<std::string_view, std::string> frames;
  std::string outside;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string node = dot_node(i, graph.nodes[i]);
    if (modules[i].empty()) {
      outside += node;
      continue;
    }
    std::string& frame = frames[modules[i]];
    if (frame.empty()) order.push_back(modules[i]);
    frame += "  " + node;
  }
  std::string dot;
  for (std::size_t k = 0; k < order.size(); ++k) {
    dot += fmt::format(
        "  subgraph cluster_{} {{\n    label=\"{}\"; color=\"#c3ccd6\"; fontcolor=\"#5a6b7f\";\n{}  }}\n", k,
        escaped(order[k]), frames[order[k]]);
  }
  return dot + outside;
}

}  // namespace

std::size_t Graph::edges() const {
  std::size_t total = 0;
  for (const GraphNode& node : nodes) total += node.inputs.size();
  return total;
}

std::size_t Graph::count(std::string_view op) const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [&](const GraphNode& node) { return node.op == op; }));
}

Graph graph_of(std::span<const Tensor> outputs) {
  const std::vector<Node*> order = reachable(outputs);
  std::unordered_map<const Node*, std::size_t> index;
  for (std::size_t i = 0; i < order.size(); ++i) index.emplace(order[i], i);
  Graph graph;
  graph.nodes.reserve(order.size());
  std::unordered_set<const detail::Buffer*> buffers;
  const auto count = [&](const detail::Array& array) {
    if (!array.buffer || !buffers.insert(array.buffer.get()).second) return;
    graph.bytes_kept += static_cast<std::int64_t>(array.buffer.bytes());
  };
  for (Node* node : order) {
    GraphNode described = describe(*node);
    for (const Slot& slot : node->slots()) {
      if (slot.empty()) continue;
      described.inputs.push_back(index.at(&node_of(*slot.node())));
    }
    count(node->array);
    for (const detail::Array& auxiliary : node->auxiliaries()) count(auxiliary);
    graph.nodes.push_back(std::move(described));
  }
  return graph;
}

Graph graph_of(const Tensor& output) { return graph_of(std::span(&output, 1)); }

Graph graph_of(std::span<const Tensor> outputs, const GraphModules& modules) {
  Graph graph = graph_of(outputs);
  const std::vector<Node*> order = reachable(outputs);
  for (std::size_t i = 0; i < order.size(); ++i) graph.nodes[i].module = modules.path_of(*order[i]);
  return graph;
}

Graph graph_of(const Tensor& output, const GraphModules& modules) {
  return graph_of(std::span(&output, 1), modules);
}

std::string to_dot(const Graph& graph, const DotOptions& options) {
  std::string dot = "digraph xtgrad {\n";
  dot += fmt::format("  rankdir={};\n", options.left_to_right ? "LR" : "TB");
  if (!options.title.empty()) dot += fmt::format("  label=\"{}\"; labelloc=t;\n", escaped(options.title));
  dot += "  graph [fontname=\"Helvetica\", fontsize=13, nodesep=0.35, ranksep=0.35];\n";
  dot += "  node [fontname=\"Helvetica\", fontsize=11, margin=\"0.12,0.06\", color=\"#5a6b7f\"];\n";
  dot += "  edge [color=\"#5a6b7f\", arrowsize=0.7];\n";
  dot += dot_nodes(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) {
      // Heavy edges are drawn short and straight: operations line up, parameters stand beside them.
      const bool from_leaf = graph.nodes[input].op.empty();
      dot += fmt::format("  n{} -> n{}{};\n", input, i, from_leaf ? "" : " [weight=8]");
    }
  }
  return dot + "}\n";
}

std::string to_string(const Graph& graph) {
  std::string text;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    const std::string_view what = !node.op.empty()     ? std::string_view(node.op)
                                  : node.requires_grad ? "leaf"
                                                       : "constant";
    text += fmt::format("{}  {}", i, what);
    if (!node.attributes.empty()) text += fmt::format("({})", node.attributes);
    if (!node.name.empty()) text += fmt::format("  {}", node.name);
    if (node.has_value) text += fmt::format("  {} {}", to_string(node.dtype), to_string(node.shape));
    if (!node.inputs.empty()) text += fmt::format("  <- {}", fmt::join(node.inputs, ", "));
    if (node.has_value && node.value_bytes == 0 && node.shape.numel() != 0) text += "  (value released)";
    text += '\n';
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const Graph& graph) { return out << to_string(graph); }

}  // namespace xtgrad::v1
