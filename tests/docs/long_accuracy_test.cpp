// docs/accuracy.md is what accuracy.py makes of the values and derivatives that the library gives:
//   XTGRAD_UPDATE_DOCS=1 XTGRAD_PEERS_PYTHON=... ctest --preset release -L long -R docs/
// Without XTGRAD_PEERS_PYTHON, a Python that has mpmath and torch, any python3 that has mpmath compares the
// library's own numbers with the page's.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/measured_functions.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"

namespace xtgrad { namespace {

constexpr int points = 100;

TEST_CASE("docs/accuracy.md: what the library gives is as near to the truth as the page says") {
  const char* peers = std::getenv("XTGRAD_PEERS_PYTHON");
  const std::string python = peers != nullptr ? peers : "/usr/bin/python3";
  const testing::ProgramResult has_mpmath = testing::run_program(python, {"-c", "import mpmath"});
  if (has_mpmath.exit_code != 0) return testing::skip("no mpmath for " + python);

  const testing::TemporaryFolder folder;
  const std::string values = (folder.path() / "values.txt").string();
  {
    std::ofstream file(values);
    for (const testing::MeasuredFunction& function : testing::measured_functions()) {
      for (const testing::Region& region : function.regions) {
        for (const Dtype dtype : {float32, float64})
          file << testing::measured_values(function, region, dtype, points);
      }
    }
  }
  const std::filesystem::path root = XTGRAD_SOURCE_DIR;
  const std::string script = (root / "tests/docs/accuracy.py").string(),
                    page = (root / "docs/accuracy.md").string();
  const bool updates = std::getenv("XTGRAD_UPDATE_DOCS") != nullptr;
  const testing::ProgramResult compared =
      testing::run_program(python, {script, values, page, updates ? "write" : "compare"});
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
  MESSAGE(compared.out);
}

}}  // namespace xtgrad
