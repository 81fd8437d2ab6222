// Alone, because it has functions by which libraries of numbers are known: the program is one that links
// another BLAS beside the one that xtgrad calls.
#include <doctest/doctest.h>

#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/skip.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/kernels/blas_turn.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"

extern "C" {
__attribute__((visibility("default"))) int openblas_get_parallel() { return 1; }
__attribute__((visibility("default"))) std::int64_t bli_thread_get_num_threads() { return 1; }
void cblas_sgemm();
}

using namespace xtgrad;

TEST_CASE("whether calls of BLAS may overlap is asked of the library that is called, not of one beside it") {
  Dl_info called{};
  REQUIRE(dladdr(reinterpret_cast<void*>(&cblas_sgemm), &called) != 0);
  void* const library = dlopen(called.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  void* const asked = library == nullptr ? nullptr : dlsym(library, "openblas_get_parallel");
  Dl_info answering{};
  if (asked == nullptr || dladdr(asked, &answering) == 0 || answering.dli_fbase != called.dli_fbase) {
    testing::skip("the BLAS that xtgrad is linked with is no shared OpenBLAS");
    return;
  }
  const bool parallel = reinterpret_cast<int (*)()>(asked)() != 0;
  CAPTURE(called.dli_fname);
  CHECK(detail::blas_calls_may_overlap() == parallel);
}

TEST_CASE("products of two threads are right where another BLAS is beside the one that is called") {
  Random random(3);
  const Tensor a = randn({32, 784}, random);
  const Tensor b = randn({256, 784}, random);
  const auto product = [&] { return matmul(a, b, {.transpose_b = true}); };
  const std::vector<double> right = testing::values(product());
  std::atomic<int> wrong{0};
  const auto work = [&] {
    for (int i = 0; i < 2000; ++i) wrong += testing::values(product()) == right ? 0 : 1;
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(wrong == 0);
}
