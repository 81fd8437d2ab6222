// Scopes that end in another order than they began.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/step_list.h"

using namespace xtgrad;

namespace {

/// Ends three scopes in every order, and calls `check` after each with the last that is
/// left, -1 for none.
template <class Begin, class End, class Check>
void in_every_order(Begin begin, End end, Check check) {
  std::array<int, 3> order{0, 1, 2};
  do {
    for (int i = 0; i < 3; ++i) begin(i);
    std::array<bool, 3> alive{true, true, true};
    for (const int i : order) {
      end(i);
      alive[static_cast<std::size_t>(i)] = false;
      const auto last = std::find(alive.rbegin(), alive.rend(), true);
      check(static_cast<int>(alive.rend() - last) - 1);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

bool was_seen(const Profile& profile, std::string_view name) {
  const std::vector<ProfileRow> rows = profile.rows();
  return std::any_of(rows.begin(), rows.end(), [&](const ProfileRow& row) { return row.name == name; });
}

}  // namespace

TEST_CASE("recording is what the innermost scope that lives says, whatever order they end in") {
  for (const bool outside : {true, false}) {
    std::optional<NoGrad> around;
    if (!outside) around.emplace();
    std::array<std::optional<NoGrad>, 3> no_grad;
    std::optional<EnableGrad> enable;
    in_every_order(
        [&](int i) {
          if (i == 1) {
            enable.emplace();
          } else {
            no_grad[static_cast<std::size_t>(i)].emplace();
          }
        },
        [&](int i) {
          if (i == 1) {
            enable.reset();
          } else {
            no_grad[static_cast<std::size_t>(i)].reset();
          }
        },
        [&](int left) { CHECK(is_recording() == (left < 0 ? outside : left == 1)); });
  }
  CHECK(is_recording());
}

TEST_CASE("the default dtype is what the innermost scope that lives says, whatever order they end in") {
  std::array<std::optional<DefaultDtype>, 3> scopes;
  in_every_order([&](int i) { scopes[static_cast<std::size_t>(i)].emplace(i == 1 ? float32 : float64); },
                 [&](int i) { scopes[static_cast<std::size_t>(i)].reset(); },
                 [&](int left) { CHECK(default_dtype() == (left == 0 || left == 2 ? float64 : float32)); });
  CHECK_THROWS_AS(DefaultDtype in_integers(int64), DtypeError);
  CHECK(default_dtype() == float32);
}

TEST_CASE("observers may end in any order, and those that live go on") {
  std::array<std::optional<StepList>, 3> lists;
  std::optional<Profile> profile;
  std::optional<NanGuard> guard;
  const Tensor x = ones({2});
  in_every_order(
      [&](int i) {
        if (i == 0) profile.emplace();
        if (i == 1) lists[1].emplace();
        if (i == 2) guard.emplace();
      },
      [&](int i) {
        if (i == 0) profile.reset();
        if (i == 1) lists[1].reset();
        if (i == 2) guard.reset();
      },
      [&](int) {
        const Tensor y = x + 1;
        if (profile) CHECK(was_seen(*profile, "add_number"));
        if (lists[1]) CHECK(lists[1]->text().find("add_number") != std::string::npos);
        if (guard) {
          CHECK_THROWS_AS(static_cast<void>(log(x * -1 + 1)), NonFiniteError);
        } else {
          CHECK(log(x * -1 + 1).numel() == 2);
        }
      });
}
