// Slips that the compiler stops: copies of parameters that were not asked for, spans of temporaries, scopes
// without a name.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/nn/linear.h"

using namespace xtgrad;
using namespace xtgrad::testing;

static_assert(std::is_copy_constructible_v<nn::Parameter>);
static_assert(std::is_nothrow_move_constructible_v<nn::Parameter>);
static_assert(std::is_copy_constructible_v<nn::Linear>);

namespace {

/// What the compiler prints about a function with this body.
ProgramResult compile(const std::string& body) {
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "slip.cpp";
  std::ofstream(source)
      << "#include <span>\n"
         "#include <vector>\n"
         "#include <xtgrad/autograd/grad.h>\n"
         "#include <xtgrad/autograd/observe.h>\n"
         "#include <xtgrad/autograd/ops.h>\n"
         "#include <xtgrad/autograd/step_list.h>\n"
         "#include <xtgrad/nn/linear.h>\n"
         "#include <xtgrad/nn/on_forward.h>\n"
         "#include <xtgrad/optim/optim.h>\n"
         "#include <xtgrad/training/evaluate.h>\n"
         "using namespace xtgrad;\n"
         "struct Model { nn::Parameter w; nn::Linear layer{2, 3}; };\n"
         "void takes(nn::Parameter);\n"
         "void f(Model& m, const Model& c, std::vector<nn::Parameter>& many, const Tensor& x) {\n"
      << body << "\n}\n";
  const std::string include = (std::filesystem::path(XTGRAD_SOURCE_DIR) / "include").string();
  return run_program(XTGRAD_CXX, {"-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result",
                                  "-I", include, source.string()});
}

void check_refused(const std::string& body, const std::string& sentence) {
  CAPTURE(body);
  const ProgramResult compiled = compile(body);
  CAPTURE(compiled.err);
  CHECK(compiled.exit_code != 0);
  CHECK(compiled.err.find(sentence) != std::string::npos);
}

}  // namespace

TEST_CASE(
    "what is meant compiles: copies of models, references, clones, named scopes, elements that are held") {
  const ProgramResult compiled = compile(
      "  Model copy = c; Model other(m); copy = c; takes(nn::clone(m.w)); auto w = nn::clone(c.w);\n"
      "  nn::Parameter direct(m.w); auto& same = m.w; for (auto& p : many) p.zero_grad(); auto s = "
      "m.w.share();\n"
      "  std::vector<nn::Parameter> all = many; auto moved = std::move(s); takes(std::move(moved));\n"
      "  const NoGrad no_grad; const auto values = (x * 2).data<float>(); std::span<const float> span = "
      "values;\n"
      "  std::span<const float> of_x = x.data<float>(); for (float v : (x + 1).data<float>()) (void)v;\n"
      "  (void)other; (void)w; (void)direct; (void)same; (void)span; (void)of_x;");
  CAPTURE(compiled.err);
  CHECK(compiled.exit_code == 0);
}

TEST_CASE("a parameter is copied where a copy was asked for alone, and the message says how") {
  const std::string sentence = "nn::clone(w) for one of its own";
  for (const char* body :
       {"  auto w = m.layer.weight; (void)w;", "  const auto w = c.layer.weight; (void)w;",
        "  for (auto p : many) p.zero_grad();", "  takes(m.w);", "  takes(c.w);",
        "  nn::Parameter w = m.w; (void)w;", "  std::vector<nn::Parameter> v{m.w}; (void)v;"}) {
    check_refused(body, sentence);
  }
}

TEST_CASE("a span of a temporary's elements does not compile") {
  for (const char* body : {"  std::span<const float> s = (x * 2).data<float>(); (void)s;",
                           "  std::span<const float> s((x * 2).data<float>()); (void)s;"}) {
    check_refused(body, "the span would outlive the tensor");
  }
  check_refused("  const float* p = (x * 2).data<float>().data(); (void)p;", "deleted");
  check_refused("  auto at = (x * 2).data<float>().begin(); (void)at;", "deleted");
}

TEST_CASE("a scope that ends with its statement is warned of") {
  for (const char* body :
       {"  NoGrad();", "  NoGrad{};", "  EnableGrad();", "  DefaultDtype(float64);", "  Profile();",
        "  NanGuard();", "  StepList();", "  nn::WithParameters({}, {});", "  training::EvalMode(m.layer);",
        "  nn::OnForward([](const nn::ForwardCall&) {});"}) {
    check_refused(body, "a scope ends with its statement");
  }
}

TEST_CASE("a misspelt option of an optimizer is answered with its constructors alone") {
  for (const char* name : {"Adam", "AdamW", "SGD", "RMSProp", "Lion"}) {
    CAPTURE(name);
    const ProgramResult compiled = compile("  optim::" + std::string(name) +
                                           " o(m.layer.parameters(), {.learning_rate = 1}); (void)o;"
                                           " (void)c; (void)many; (void)x;");
    CAPTURE(compiled.err);
    CHECK(compiled.exit_code != 0);
    CHECK(compiled.err.find(std::string(name) + "Options") != std::string::npos);
    // Three of them, what does not fit about each, and where it stands. Inherited ones were twice as long.
    CHECK(lines_of(compiled.err).size() <= 25);
  }
}

TEST_CASE("a model's copy has parameters of its own") {
  nn::Linear layer{2, 3};
  nn::Linear copy = layer;
  CHECK(copy.weight.cell() != layer.weight.cell());
  const nn::Parameter one = nn::clone(layer.weight);
  CHECK(one.cell() != layer.weight.cell());
  CHECK(one.requires_grad());
  layer.weight.set_requires_grad(false);
  CHECK_FALSE(nn::clone(layer.weight).requires_grad());
  CHECK_FALSE(nn::clone(nn::Parameter()).defined());
}
