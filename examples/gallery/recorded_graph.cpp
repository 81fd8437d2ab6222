#include "recorded_graph.h"

#include <algorithm>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/hooks.h"

namespace gallery {

namespace {

const Tensor& named(std::span<const Tensor> tensors, const std::string& name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name() == name; });
  if (name.empty() || found == tensors.end())
    throw Error("record: the graph has a tensor called \"" + name + "\", which is not among those given");
  return *found;
}

}  // namespace

RecordedGraph record(const Tensor& output, std::span<const Tensor> tensors) {
  RecordedGraph recorded;
  for (const GraphNode& node : graph_of(output).nodes)
    recorded.nodes.push_back({.graph = node, .value = named(tensors, node.name)});

  std::vector<Hook> hooks;
  for (std::size_t i = 0; i < recorded.nodes.size(); ++i) {
    const Tensor& tensor = recorded.nodes[i].value;
    if (tensor.is_leaf()) continue;
    hooks.push_back(on_rule(tensor, {.after = [&recorded, i](const RuleCall& call) {
                              recorded.nodes[i].cotangent = call.cotangent;
                              recorded.nodes[i].handed.assign(call.gradients.begin(), call.gradients.end());
                              recorded.backward.push_back(i);
                            }}));
  }
  output.backward();
  for (Hook& hook : hooks) hook.remove();  // they refer to what this function returns
  for (RecordedNode& node : recorded.nodes) {
    if (node.value.is_leaf()) node.cotangent = node.value.grad();
  }
  return recorded;
}

}  // namespace gallery
