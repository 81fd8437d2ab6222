#include "xtgrad/autograd/program/program_graph.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/attribute_lists.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Of a module as a profile calls it its path in the model: of "MLP.layers.0" "layers.0".
std::string path_of(std::string_view module) {
  const std::size_t dot = module.find('.');
  return dot == std::string_view::npos ? std::string() : std::string(module.substr(dot + 1));
}

class GraphMaker {
 public:
  explicit GraphMaker(const ProgramSteps& program) : program_(program), node_of_(program.values.size(), 0) {}

  Graph make() {
    add_leaves();
    for (const ProgramStep& step : program_.steps) add_step(step);
    for (const ProgramState& each : program_.state) {
      if (each.after.value != no_value) add_end("next", each.name, each.after);
    }
    for (const ProgramOperand& result : program_.results) add_end("result", {}, result);
    return std::move(graph_);
  }

 private:
  std::size_t add(GraphNode node) {
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.size() - 1;
  }

  [[nodiscard]] GraphNode node_of(std::string op, const ProgramOperand& operand) const {
    const ProgramValue& value = program_.values[operand.value];
    GraphNode node;
    node.op = std::move(op);
    node.shape = operand.spec.shape;
    node.dtype = operand.spec.dtype;
    node.value_bytes = static_cast<std::int64_t>(value.bytes);
    return node;
  }

  void add_leaves() {
    // What has a gradient is a parameter.
    std::unordered_set<std::string> names;
    for (const ProgramState& each : program_.state) names.insert(each.name);
    for (std::size_t i = 0; i < program_.values.size(); ++i) {
      const ProgramValue& value = program_.values[i];
      if (value.source == ProgramValue::Source::step) continue;
      GraphNode leaf = node_of({}, {static_cast<ValueIndex>(i), value.spec});
      leaf.name = value.source == ProgramValue::Source::constant
                      ? name_of(program_, {static_cast<ValueIndex>(i), value.spec})
                      : value.name;
      leaf.requires_grad = names.contains(value.name + ".grad");
      graph_.bytes_kept += leaf.value_bytes;
      node_of_[i] = add(std::move(leaf));
    }
  }

  void add_step(const ProgramStep& step) {
    const auto made = std::ranges::count_if(
        step.outputs, [](const ProgramOperand& output) { return output.value != no_value; });
    std::vector<std::size_t> inputs;
    for (const ProgramOperand& input : step.inputs) inputs.push_back(node_of_[input.value]);
    std::size_t whole = 0;
    if (made > 1) {
      GraphNode node;
      node.op = (*step).name();
      node.attributes = attribute_text(*step);
      node.has_value = false;
      node.inputs = inputs;
      node.module = path_of(step.origin.module);
      whole = add(std::move(node));
    }
    for (const ProgramOperand& output : step.outputs) {
      if (output.value == no_value) continue;
      GraphNode node = node_of(made > 1 ? "part" : std::string((*step).name()), output);
      if (made == 1) node.attributes = attribute_text(*step);
      node.inputs = made > 1 ? std::vector<std::size_t>{whole} : inputs;
      node.module = path_of(step.origin.module);
      node_of_[output.value] = add(std::move(node));
    }
  }

  void add_end(std::string op, std::string name, const ProgramOperand& operand) {
    GraphNode node = node_of(std::move(op), operand);
    node.attributes = std::move(name);
    node.inputs = {node_of_[operand.value]};
    static_cast<void>(add(std::move(node)));
  }

  const ProgramSteps& program_;
  std::vector<std::size_t> node_of_;  // of each value
  Graph graph_;
};

}  // namespace

Graph graph_of_steps(const ProgramSteps& program) { return GraphMaker(program).make(); }

}  // namespace xtgrad::v1::detail
