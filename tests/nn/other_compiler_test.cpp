// The headers are for other compilers, too: those who write modules with clang++ get no error and no warning.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/program.h"
#include "tests/support/skip.h"

using namespace xtgrad::testing;

namespace {

// The examples of nn/module.h, and a primitive from outside in a forward.
const char* const program = R"(#include <xtgrad/nn/nn.h>
#include <xtgrad/autograd/primitive.h>
#include <xtgrad/xtgrad.h>
using namespace xtgrad;
struct Classifier : nn::Module {
  nn::Linear hidden{4, 16};
  nn::Linear head{16, 3};
  void members(nn::Members& m) override { m("hidden", hidden); m("head", head); }
  Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
};
struct Cell : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
  nn::Linear in{3, 4};
  nn::Linear back{4, 4};
  void members(nn::Members& m) override { m("in", in); m("back", back); }
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
    Tensor next = tanh(in(x) + back(h));
    return {where(2 == next, 1, 0) + pow(2, next), maximum(0, next)};
  }
};
class Same final : public DifferentiablePrimitive<Same> {
 public:
  std::string_view name() const override { return "same"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs, Outputs) const override {}
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};
struct Outside : nn::Module {
  Tensor forward(const Tensor& x) override { return run(Same{}, {x}); }
};
int main() {
  Classifier model;
  Cell cell;
  auto [y, h] = cell(randn({8, 3}), zeros({8, 4}));
  static_cast<void>(cell.summary(y, h));
  static_cast<void>(Outside()(model(randn({8, 4}))));
}
)";

}  // namespace

TEST_CASE("clang++ takes modules of all signatures") {
  if (run_program("/usr/bin/env", {"clang++", "--version"}).exit_code != 0)
    return skip("there is no clang++ here");
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "modules.cpp";
  std::ofstream(source) << program;
  const std::string include = (std::filesystem::path(XTGRAD_SOURCE_DIR) / "include").string();
  const ProgramResult compiled = run_program(
      "/usr/bin/env",
      {"clang++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-I", include, source.string()});
  CHECK_MESSAGE(compiled.exit_code == 0, compiled.err);
  CHECK(compiled.err.empty());
}
