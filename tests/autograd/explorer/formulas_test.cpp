// The explorer has a formula of every operation of the library, of its rules and of an optimizer's steps.
#include "xtgrad/autograd/explorer/formulas.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

using detail::formula_of;

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// What a formula lacks to name so many operands.
bool names(std::string_view letters, std::size_t count) {
  const std::vector<std::string> words = words_of(letters);
  return count <= words.size() || (!words.empty() && words.back().ends_with("…"));
}

/// The operations that a sample's derivatives, to the second order, are made of, with their most operands.
void add_steps_of(const Op& op, const Sample& sample, std::map<std::string, std::size_t>& operands) {
  Random random(seed_of(op));
  const std::vector<Values> drawn = draw_inputs(sample, float64, random);
  detail::Tracer tracer;
  const std::vector<Tensor> inputs = make_inputs(sample, drawn, float64, op.kind != Kind::constant);
  const Tensor y = sample.apply(inputs);
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  if (y.requires_grad() && !wanted.empty()) {
    const Tensor g = ones(y.shape(), {.dtype = y.dtype(), .requires_grad = true});
    static_cast<void>(grad(std::span(&y, 1), wanted,
                           {.cotangents = {g.detach()}, .keep_graph = true, .allow_unused = true}));
    const std::vector<Tensor> first =
        grad(std::span(&y, 1), wanted, {.cotangents = {g}, .create_graph = true, .allow_unused = true});
    for (const Tensor& each : first) {
      if (each.defined() && each.requires_grad())
        static_cast<void>(grad({sum(each)}, wanted, {.keep_graph = true, .allow_unused = true}));
    }
  }
  for (const detail::TracedStep& step : tracer.trace().steps) {
    std::size_t& most = operands[std::string(step.primitive->name())];
    most = std::max(most, step.inputs.size());
  }
}

TEST_CASE("every operation of the registry has a formula in the explorer") {
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const std::string name(detail::to_string(static_cast<OpId>(i)));
    CHECK_MESSAGE(formula_of(name) != nullptr, name);
  }
}

TEST_CASE("every step that an operation and its derivatives take has a formula that names its operands") {
  std::map<std::string, std::size_t> operands;
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const Op op = describe(static_cast<OpId>(i));
    for (const Sample& sample : op.samples) {
      if (!sample.inputs.empty()) add_steps_of(op, sample, operands);
    }
    for (const Elementwise& each : op.elementwise_operations) {
      Sample sample{.attributes = each.attributes, .inputs = each.inputs, .apply = each.apply};
      for (Input& input : sample.inputs) input.shape = {64, 3};
      add_steps_of(op, sample, operands);
      sample.inputs.back().shape = {3};
      add_steps_of(op, sample, operands);
    }
  }
  CHECK(operands.size() > 100);
  for (const auto& [name, count] : operands) {
    const detail::StepFormula* formula = formula_of(name);
    CHECK_MESSAGE(formula != nullptr, name);
    if (formula != nullptr) CHECK_MESSAGE(names(formula->inputs, count), name << " has " << count);
  }
}

/// What primitives are called whose sources say so in a literal.
std::set<std::string> names_in_sources() {
  static const std::regex literal(
      R"re((?:name\(\) const (?:override|final) \{ return|string_view (?:step_|coefficients_)?name =) "([a-z0-9_.]+)")re");
  std::set<std::string> found;
  for (const char* folder : {"autograd", "nn", "optim"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(XTGRAD_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      const std::string text = file_text(entry.path());
      for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it)
        found.insert((*it)[1]);
    }
  }
  return found;
}

TEST_CASE("creation, draws, counters, modules and optimizers have formulas, too") {
  for (const char* name : {"full", "ones", "ones_like", "zeros_like", "arange", "linspace", "eye"})
    CHECK_MESSAGE(formula_of(name) != nullptr, name);
  // An example in a comment, and what steps are joined to after a run is watched.
  const std::set<std::string> others{"cube", "fused", "fused_rows", "scalars"};
  const std::set<std::string> names = names_in_sources();
  CHECK(names.size() > 40);
  for (const std::string& name : names) {
    if (!others.contains(name)) CHECK_MESSAGE(formula_of(name) != nullptr, name);
  }
  for (const char* optimizer : {"sgd", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "adamax", "nadam",
                                "radam", "lion", "rprop", "asgd"}) {
    CHECK_MESSAGE(formula_of(std::string(optimizer) + "_step") != nullptr, optimizer);
    CHECK_MESSAGE(formula_of(std::string(optimizer) + "_rates") != nullptr, optimizer);
  }
  CHECK(formula_of("mine") == nullptr);
}

}}  // namespace xtgrad::v1::testing
