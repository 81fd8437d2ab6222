#include "xtgrad/autograd/callable.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 { namespace {

int twice(int x) { return 2 * x; }

struct Counted {
  explicit Counted(int& counter) : copies(&counter) {}
  Counted(const Counted& other) : copies(other.copies) { ++*copies; }
  Counted& operator=(const Counted&) = delete;
  int* copies;
};

using Unary = Callable<int(int)>;

static_assert(std::is_convertible_v<int (*)(int), Unary>);
static_assert(std::is_convertible_v<std::function<int(int)>, Unary>);
static_assert(!std::is_constructible_v<Unary, int>);
static_assert(!std::is_constructible_v<Unary, std::string (*)(int)>);
static_assert(!std::is_constructible_v<Unary, int (*)(int, int)>);
static_assert(!std::is_constructible_v<Unary, int Counted::*>);
static_assert(std::is_nothrow_move_constructible_v<Unary>);

TEST_CASE("callable: functions, pointers to functions, lambdas and std::function are called") {
  CHECK(Unary(twice)(4) == 8);
  CHECK(Unary(&twice)(4) == 8);
  CHECK(Unary([](int x) { return x + 1; })(4) == 5);
  CHECK(Unary([offset = 3](int x) { return x + offset; })(4) == 7);
  CHECK(Unary(std::function<int(int)>(twice))(4) == 8);
  int seen = 0;
  const Callable<void(int)> ignores_the_result = [&seen](int x) { return seen = x; };
  ignores_the_result(9);
  CHECK(seen == 9);
}

TEST_CASE("callable: empty where nothing was given, and says so when called") {
  int (*const no_function)(int) = nullptr;
  for (const Unary& empty : {Unary(), Unary(nullptr), Unary(no_function), Unary(std::function<int(int)>())}) {
    CHECK_FALSE(static_cast<bool>(empty));
    CHECK(empty == nullptr);
    CHECK_THROWS_WITH_AS(empty(1), "Callable: holds no function to call", ValueError);
  }
  CHECK(Unary(twice) != nullptr);
  // One that holds an empty one of another signature is empty too.
  CHECK(Callable<long(int)>(Unary()) == nullptr);
}

TEST_CASE("callable: a copy has its own captured state, a moved one hands it on") {
  Unary counter = [count = 0](int by) mutable { return count += by; };
  CHECK(counter(2) == 2);
  Unary copy = counter;
  CHECK(counter(1) == 3);
  CHECK(copy(10) == 12);
  Unary moved = std::move(counter);
  CHECK(moved(1) == 4);
  copy = moved;
  CHECK(copy(1) == 5);
  CHECK(moved(1) == 5);
  Unary& itself = copy;
  copy = itself;
  CHECK(copy(1) == 6);
}

TEST_CASE("callable: arguments are handed on, not copied, and what was captured is destroyed once") {
  int copies = 0;
  Counted counted(copies);
  const Callable<const Counted*(const Counted&)> address = [](const Counted& x) { return &x; };
  CHECK(address(counted) == &counted);
  CHECK(copies == 0);
  const Callable<int(std::unique_ptr<int>)> takes = [](std::unique_ptr<int> p) { return *p; };
  CHECK(takes(std::make_unique<int>(5)) == 5);

  const auto shared = std::make_shared<int>(1);
  {
    const Unary holds = [shared](int x) { return x + *shared; };
    const Unary copy = holds;
    CHECK(shared.use_count() == 3);
    CHECK(copy(1) == 2);
  }
  CHECK(shared.use_count() == 1);
}

}  // namespace
}  // namespace xtgrad::v1
