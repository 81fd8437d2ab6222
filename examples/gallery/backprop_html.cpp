#include "backprop_html.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/numbers.h"

namespace gallery {

using nlohmann::ordered_json;

namespace {

/// What an operation computes, and what its rule hands to each input. {y} is the result, {a} and {b} are the
/// inputs, {c} a number that belongs to the operation; g is the cotangent of the result.
struct Rule {
  std::string formula;
  std::vector<std::string> handed;
  std::string why;
};

const std::map<std::string, Rule> rules{
    {"matmul",
     {"{a} · {b}",
      {"g · {b}ᵀ", "{a}ᵀ · g"},
      "Each factor of a product gets the cotangent times the other factor; the transposes put rows and "
      "columns where they belong."}},
    {"add", {"{a} + {b}", {"g", "g"}, "A sum hands its cotangent on to both terms as it is."}},
    {"sub", {"{a} − {b}", {"g", "−g"}, "What is subtracted gets the cotangent with the other sign."}},
    {"sigmoid",
     {"σ({a})",
      {"g ⊙ {y} ⊙ (1 − {y})"},
      "The slope of the sigmoid is told by its own value, y (1 − y), which is 1/4 at most. ⊙ means element "
      "by element."}},
    {"square", {"{a}²", {"2 g ⊙ {a}"}, "The slope of a square is twice what was squared."}},
    {"sum", {"Σ {a}", {"g, for each element"}, "Every term of a sum gets the cotangent of the sum."}},
    {"mul_number", {"{c} · {a}", {"{c} · g"}, "A constant factor is the slope."}}};

/// The pattern with the names of the tensors in it.
std::string filled(const std::string& pattern, const RecordedGraph& graph, const GraphNode& node) {
  fmt::dynamic_format_arg_store<fmt::format_context> names;
  names.push_back(fmt::arg("y", node.name));
  names.push_back(fmt::arg("a", graph.nodes[node.inputs.front()].graph.name));
  names.push_back(fmt::arg("b", graph.nodes[node.inputs.back()].graph.name));
  names.push_back(fmt::arg("c", node.attributes));
  return fmt::vformat(pattern, names);
}

/// A list of rows; vectors are columns.
ordered_json rows(const Tensor& tensor) {
  const std::vector<double> numbers = plot::numbers(tensor);
  const std::size_t columns = tensor.rank() < 2 ? 1 : static_cast<std::size_t>(tensor.size(1));
  ordered_json table = ordered_json::array();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % columns == 0) table.push_back(ordered_json::array());
    table.back().push_back(numbers[i]);
  }
  return table;
}

ordered_json described(const RecordedGraph& graph, const RecordedNode& node) {
  ordered_json all{{"name", node.graph.name},
                   {"operation", node.graph.op},
                   {"inputs", node.graph.inputs},
                   {"value", rows(node.value)},
                   {"cotangent", rows(node.cotangent)}};
  if (node.graph.op.empty()) return all;
  const auto known = rules.find(node.graph.op);
  if (known == rules.end()) throw Error("backprop_html: no words for the rule of " + node.graph.op);
  const Rule& rule = known->second;
  all["formula"] = filled(rule.formula, graph, node.graph);
  all["why"] = rule.why;
  all["handed"] = ordered_json::array();
  for (std::size_t i = 0; i < rule.handed.size(); ++i) {
    all["handed"].push_back(
        {{"rule", filled(rule.handed[i], graph, node.graph)}, {"value", rows(node.handed.at(i))}});
  }
  return all;
}

std::string read_template() {
  const std::string path = XTGRAD_GALLERY_SOURCES "/backprop_template.html";
  std::ifstream in(path);
  if (!in) throw IoError("backprop_html: cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::string backprop_html(const RecordedGraph& graph, const std::map<std::string, std::string>& remarks) {
  ordered_json all{{"nodes", ordered_json::array()}, {"backward", graph.backward}};
  for (const RecordedNode& node : graph.nodes) {
    all["nodes"].push_back(described(graph, node));
    if (remarks.contains(node.graph.name)) all["nodes"].back()["remark"] = remarks.at(node.graph.name);
  }
  std::string page = read_template();
  const std::string place = "@graph@";
  return page.replace(page.find(place), place.size(), all.dump());
}

}  // namespace gallery
