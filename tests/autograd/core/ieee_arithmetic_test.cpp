// A thread whose processor takes subnormal numbers for 0, as that of a program linked with -ffast-math does.
#include <doctest/doctest.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <thread>

#include "tests/support/thread_count.h"
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/ieee_arithmetic.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::uint32_t flush_bits = 0x8040;

/// Runs `f` on a thread of its own that flushes to zero from its beginning.
template <class F>
void flushing(const F& f) {
  std::thread([&] {
    _mm_setcsr(_mm_getcsr() | flush_bits);
    f();
    CHECK((_mm_getcsr() & flush_bits) == flush_bits);  // as it was
  }).join();
}

TEST_CASE("a thread that flushes to zero computes subnormal numbers all the same") {
  const Tensor want = exp(tensor({-100, -90, 0.5}));
  REQUIRE(want.at({0}) > 0);
  flushing([&] {
    const Tensor x = tensor({-100, -90, 0.5}, {.requires_grad = true});
    const Tensor y = exp(x);
    CHECK(y.at({0}) == want.at({0}));
    CHECK(sum(slice(y, {.stop = 1})).item() == want.at({0}));
    std::ostringstream text;
    text << slice(y, {.stop = 1});
    CHECK(text.str().find("e-44") != std::string::npos);
    sum(y).backward();
    CHECK(x.grad().at({0}) == want.at({0}));
    const Tensor least = tensor({1e-45, -1e-310}, {.dtype = float64});
    CHECK((least * 2).at({1}) == -2e-310);
    CHECK(tensor({1e-40}).at({0}) != 0);
    CHECK((tensor({1e-40}) * 0.5 > 0).to(float32).item() == 1);
  });
}

TEST_CASE("so it does with operations that are spread over threads") {
  const ThreadCount threads(4);
  constexpr std::int64_t count = 1 << 20;
  flushing([&] {
    const Tensor y = full({count}, 1e-40) * 0.5;
    CHECK(amax(y).item() == y.at({count - 1}));
    CHECK(y.at({count - 1}) > 0);
    CHECK(sum((y > 0).to(float32)).item() == count);
  });
}

TEST_CASE("a thread takes the short way after its first computation, unless it flushes to zero") {
  std::thread([] {
    CHECK(detail::thread_state.is_watched());
    const Tensor x = tensor({1, 2}) + 1;
    CHECK(!detail::thread_state.is_watched());
  }).join();
  flushing([] {
    const Tensor x = tensor({1, 2}) + 1;
    CHECK(detail::thread_state.is_watched());
  });
}

TEST_CASE("what is raised meanwhile stays raised") {
  flushing([] {
    _mm_setcsr(_mm_getcsr() & ~_MM_EXCEPT_MASK);
    CHECK(std::isinf((tensor({1}) / tensor({0})).at({0})));
    CHECK((_mm_getcsr() & _MM_EXCEPT_DIV_ZERO) != 0);
  });
}

}}  // namespace xtgrad::v1::testing
#endif
