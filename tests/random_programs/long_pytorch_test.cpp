// The same programs in PyTorch: values, gradients and Hessian-vector products.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/random_programs/generate.h"
#include "tests/random_programs/python_cases.h"
#include "tests/random_programs/series.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"

namespace xtgrad::random_programs { namespace {

TEST_CASE("two thousand random programs give in PyTorch what they give here") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return testing::skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  if (testing::run_program(python, {"-c", "import torch"}).exit_code != 0)
    return testing::skip("no torch here");
  const testing::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "cases.txt";
  std::ofstream file(path);
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 2000; ++seed)
    file << python_case(generate(seed), seed);
  file.close();
  compare_in_python(python, path);
}

}}  // namespace xtgrad::random_programs
