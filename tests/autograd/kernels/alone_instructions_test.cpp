// A process of its own: the instructions are chosen once.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/cpu_capability.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/instructions.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using detail::Instructions;
using xtgrad::testing::message_of;

TEST_CASE("XTGRAD_ISA names the instructions of products, and a name that is not one is refused") {
  const Tensor x = ones({5, 4});
  const auto product = [&] { return matmul(x, x, {.transpose_b = true}); };
  REQUIRE(setenv("XTGRAD_ISA", "AVX2", 1) == 0);
  CHECK(message_of<ValueError>(product) == "XTGRAD_ISA must be baseline, avx2 or avx512: got 'AVX2'");
  // Nothing is chosen yet.
  if (!detail::has_instructions(Instructions::avx512)) {
    REQUIRE(setenv("XTGRAD_ISA", "avx512", 1) == 0);
    const std::string message = message_of<ValueError>(product);
    CHECK(message.rfind("XTGRAD_ISA: this processor has no avx512; the best that it has is ", 0) == 0);
  }
  REQUIRE(setenv("XTGRAD_ISA", "baseline", 1) == 0);
  CHECK(sum(product()).item() == 100);
  CHECK(detail::instructions() == Instructions::baseline);
  CHECK(cpu_capability() == "baseline");
  REQUIRE(setenv("XTGRAD_ISA", "another", 1) == 0);
  CHECK(sum(product()).item() == 100);
}
