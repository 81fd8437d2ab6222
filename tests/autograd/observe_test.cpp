#include "xtgrad/autograd/observe.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

template <class F>
std::string guarded(F f, const NanGuardOptions& options = {}) {
  const NanGuard guard(options);
  try {
    f();
  } catch (const NonFiniteError& error) {
    return error.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("NanGuard names the first operation that makes a number that is none") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({{1, 4}, {-1, -2}}, {.dtype = dtype});
    CHECK(guarded([&] { static_cast<void>(exp(log(x) * 2)); }) ==
          "nan_guard: log gave nan at [1, 0], 2 of 4 elements: input 0 is " + std::string(to_string(dtype)) +
              " [2, 2] from -2 to 4");
  }
  CHECK(guarded([] {
          static_cast<void>(div(1.0, tensor({2, 0})));
        }) == "nan_guard: div gave inf at [1], 1 of 2 elements: input 0 is float32 [2] from 0 to 2");
  CHECK(guarded([] { static_cast<void>(log(full({}, -1))); }).find("gave nan at [], 1 of 1") !=
        std::string::npos);
}

TEST_CASE("NanGuard lets through what came in, what was written, and what is finite") {
  const Tensor bad = tensor({1, inf});
  CHECK(guarded([&] { static_cast<void>(exp(bad) - bad); }) == "nothing");
  CHECK(guarded([] { static_cast<void>(full({2}, inf)); }) == "nothing");
  CHECK(guarded([] { static_cast<void>(sum(exp(zeros({0, 3})))); }) == "nothing");
  CHECK(guarded([] { static_cast<void>(sum(square(ones({3})))); }) == "nothing");
  CHECK(guarded([] { static_cast<void>(log(zeros({2}))); }).find("gave -inf") != std::string::npos);
  CHECK(guarded([] { static_cast<void>(log(zeros({2}))); }, {.infinities = false}) == "nothing");
  CHECK_NOTHROW(static_cast<void>(log(zeros({2}))));  // after the scope
}

TEST_CASE("NanGuard finds it in rules, and the graph can be swept afterwards") {
  const Tensor x = tensor({4, 0}, {.requires_grad = true});
  const Tensor y = sum(sqrt(x));
  const std::string message = guarded([&] { y.backward(); });
  CHECK(message.find("nan_guard: sqrt.rule0, in the rule of sqrt, gave inf at [1], 1 of 2 elements") == 0);
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("Profile counts calls, bytes and rules") {
  const Tensor x = ones({8, 4}, {.requires_grad = true});
  std::vector<ProfileRow> rows;
  std::string table, trace;
  {
    const Profile profile;
    const Tensor y = tanh(tanh(x));
    sum(y).backward();
    rows = profile.rows();
    table = profile.table();
    trace = profile.chrome_trace();
  }
  const auto row = [&](std::string_view name) {
    for (const ProfileRow& each : rows) {
      if (each.name == name) return each;
    }
    return ProfileRow{};
  };
  CHECK(row("tanh").calls == 2);
  CHECK(row("tanh").bytes == 2 * 8 * 4 * 4);
  CHECK(row("tanh.rule0").calls == 2);
  CHECK(row("sum").calls == 1);
  CHECK(row("sum").bytes == 4);
  for (std::size_t i = 1; i < rows.size(); ++i) CHECK(rows[i - 1].seconds >= rows[i].seconds);
  CHECK(table.find("tanh.rule0") != std::string::npos);
  CHECK(trace.find("{\"traceEvents\":[{\"name\":\"tanh\",\"ph\":\"X\"") == 0);
  CHECK(trace.find("\"bytes\":128}") != std::string::npos);
}

TEST_CASE("observers nest and see the same") {
  const Profile outer;
  {
    const Profile inner;
    const NanGuard guard;
    static_cast<void>(exp(ones({2})));
    CHECK(inner.rows().size() == 2);
  }
  static_cast<void>(neg(ones({2})));
  CHECK(outer.rows().size() == 3);  // ones, exp, neg
}
