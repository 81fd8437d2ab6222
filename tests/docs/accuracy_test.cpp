// docs/accuracy.md has a line for each elementwise function that is differentiated. What the lines say is
// measured by long_accuracy_test.cpp.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/support/measured_functions.h"
#include "tests/support/program.h"

namespace xtgrad { namespace {

struct Operation {
  std::string name, family;
};

/// Those that have derivatives or may have.
const std::vector<Operation> registry{
#define XTGRAD_PRIMITIVE(name, family) {#name, #family},
#define XTGRAD_COMPOSITE(name, family) {#name, #family},
#define XTGRAD_CONSTANT(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
};

TEST_CASE("docs/accuracy.md: every elementwise function has its lines") {
  const std::string page = testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/accuracy.md");
  std::set<std::string> measured;
  for (const testing::MeasuredFunction& function : testing::measured_functions()) {
    CAPTURE(function.label);
    measured.insert(std::string(to_string(function.id)));
    for (const testing::Region& region : function.regions) {
      CAPTURE(region.name);
      for (const char* dtype : {"float32", "float64"})
        CHECK(page.find("| " + function.label + " | " + region.name + " | " + dtype + " |") !=
              std::string::npos);
    }
    CHECK(!function.regions.empty());
  }
  std::size_t seen = 0;
  for (const Operation& operation : registry) {
    if (!testing::is_measured_family(operation.family)) continue;
    CAPTURE(operation.name);
    CHECK(measured.contains(operation.name));
    ++seen;
  }
  CHECK(seen > 90);
}

TEST_CASE(
    "docs/accuracy.md: values are written at as many points as are asked for, in float32's numbers there") {
  const testing::MeasuredFunction function = testing::measured_functions().front();
  const std::string text = testing::measured_values(function, function.regions[0], float32, 3);
  const auto lines = testing::lines_of(text);
  REQUIRE(lines.size() == 4);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const double x = std::strtod(lines[i].c_str(), nullptr);
    CHECK(x == static_cast<float>(x));
  }
}

}}  // namespace xtgrad
