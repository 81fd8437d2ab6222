// Programs as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/random_programs/program.h"

namespace xtgrad::random_programs {
namespace {

std::string sizes_of(const Shape& shape) {
  return fmt::format("{}", fmt::join(std::vector<std::int64_t>(shape.begin(), shape.end()), ", "));
}

std::string shape_text(const Shape& shape, bool python) {
  const char* const comma = python && shape.rank() == 1 ? "," : "";
  return python ? "(" + sizes_of(shape) + comma + ")" : "Shape{" + sizes_of(shape) + "}";
}

std::string number_text(double number) {
  const std::string text = fmt::format("{:.17g}", number);
  return number < 0 ? "(" + text + ")" : text;
}

std::string leaf_text(const Tensor& leaf) {
  const std::string sizes = sizes_of(leaf.shape());
  std::vector<std::string> elements;
  for (const double each : testing::values(leaf)) elements.push_back(fmt::format("{:.17g}", each));
  const std::string list = fmt::format("{}", fmt::join(elements, ", "));
  if (leaf.dtype() == float64)
    return fmt::format(
        "from_span(std::span<const double>(std::vector<double>{{{}}}), {{{}}}, {{.requires_grad = true}})",
        list, sizes);
  return fmt::format("from_span(std::span<const double>(std::vector<double>{{{}}}), {{{}}}).to({})", list,
                     sizes, leaf.dtype() == boolean ? "boolean" : "int64");
}

}  // namespace

std::string expression(const Program&, const Step& step, bool python) {
  return replace_words(
      python ? step.row->python : step.row->cpp, [&](std::string_view word) -> std::optional<std::string> {
        if (word.size() == 1 && word[0] >= 'a' && word[0] < static_cast<char>('a' + step.operands.size()))
          return fmt::format("v{}", step.operands[static_cast<std::size_t>(word[0] - 'a')]);
        if (word == "axis") return std::to_string(step.axis);
        if (word == "n") return std::to_string(step.n);
        if (word == "k") return std::to_string(step.k);
        if (word == "p") return number_text(step.p);
        if (word == "shape") return shape_text(step.shape, python);
        if (word == "dtype") return "float64";
        return std::nullopt;
      });
}

std::string to_cpp(const Program& program) {
  std::string text =
      "#include <cstdio>\n#include <vector>\n\n#include \"tests/random_programs/prelude.h\"\n\n"
      "using namespace xtgrad;\nusing namespace xtgrad::random_programs;\n\nint main() {\n";
  std::vector<std::string> variables;
  for (std::size_t i = 0; i < program.leaves.size(); ++i) {
    text += fmt::format("  const Tensor v{} = {};\n", i, leaf_text(program.leaves[i]));
    if (is_floating(program.leaves[i].dtype())) variables.push_back(fmt::format("v{}", i));
  }
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    text += fmt::format("  const Tensor v{} = {};\n", program.leaves.size() + i,
                        expression(program, step, false));
  }
  std::vector<std::string> terms;
  for (const std::size_t output : program.outputs)
    terms.push_back(fmt::format("weighted(v{0}, {0})", output));
  text += fmt::format("  const Tensor loss = {};\n", fmt::join(terms, " + "));
  text += "  std::printf(\"%a\\n\", loss.item());\n";
  text += fmt::format(
      "  const std::vector<Tensor> gradients = grad({{loss}}, {{{}}}, {{.allow_unused = true, "
      ".materialize_grads = true}});\n",
      fmt::join(variables, ", "));
  text +=
      "  for (const Tensor& gradient : gradients)\n"
      "    for (const double each : gradient.data<double>()) std::printf(\"%a\\n\", each);\n}\n";
  return text;
}

std::string to_text(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.leaves.size(); ++i) {
    const Tensor& leaf = program.leaves[i];
    text += fmt::format("  v{} = {} {}\n", i, to_string(leaf.dtype()), to_string(leaf.shape()));
  }
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    text +=
        fmt::format("  v{} = {}\n", program.leaves.size() + i, expression(program, program.steps[i], false));
  return text + fmt::format("  of v{}\n", fmt::join(program.outputs, ", v"));
}

}  // namespace xtgrad::random_programs
