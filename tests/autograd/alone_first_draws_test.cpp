// Alone: nobody may have drawn or seeded before.
#include <doctest/doctest.h>

#include <thread>

#include "xtgrad/autograd/random.h"

using namespace xtgrad;

TEST_CASE("the thread that runs main draws from seed 0, though others drew first") {
  double elsewhere = 0;
  std::thread([&] { elsewhere = default_random().next_uniform(); }).join();
  Random zero(0);
  const double first = zero.next_uniform();
  CHECK(default_random().next_uniform() == first);
  CHECK(elsewhere != first);
}
