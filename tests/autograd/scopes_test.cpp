// Scopes that end in another order than they began.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
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

TEST_CASE("a scope that ends or begins in a sweep leaves recording as the program says afterwards") {
  using Change = std::function<void(std::optional<NoGrad>&, std::optional<EnableGrad>&)>;
  using Hang = std::function<void(const Tensor& x, const Tensor& y, const std::function<void()>& f)>;
  using Run = std::function<void(const Tensor& y, const Tensor& x, bool create_graph)>;
  const std::vector<Hang> hangs{[](const Tensor& x, const Tensor&, const std::function<void()>& f) {
                                  on_gradient(x, [f](const Tensor&) { return f(), Tensor(); });
                                },
                                [](const Tensor&, const Tensor& y, const std::function<void()>& f) {
                                  on_gradient(y, [f](const Tensor&) { return f(), Tensor(); });
                                },
                                [](const Tensor& x, const Tensor&, const std::function<void()>& f) {
                                  on_accumulated(x, [f](const Tensor&) { f(); });
                                },
                                [](const Tensor&, const Tensor& y, const std::function<void()>& f) {
                                  on_rule(y, {.before = [f](const Tensor&) { return f(), Tensor(); }});
                                },
                                [](const Tensor&, const Tensor& y, const std::function<void()>& f) {
                                  on_rule(y, {.after = [f](const RuleCall&) { f(); }});
                                }};
  struct Case {
    std::string what;
    bool no_grad_before;
    Change change;
    bool records_after;
  };
  const std::vector<Case> cases{
      {"an outer NoGrad ends", true, [](auto& none, auto&) { none.reset(); }, true},
      {"a NoGrad begins", false, [](auto& none, auto&) { none.emplace(); }, false},
      {"an EnableGrad begins in a NoGrad", true, [](auto&, auto& enable) { enable.emplace(); }, true},
      {"a NoGrad ends and another begins", true,
       [](auto& none, auto&) {
         none.reset();
         none.emplace();
       },
       false}};
  const std::vector<Run> runs{
      [](const Tensor& y, const Tensor&, bool create_graph) { y.backward({.create_graph = create_graph}); },
      [](const Tensor& y, const Tensor& x, bool create_graph) {
        static_cast<void>(grad(y, x, {.create_graph = create_graph, .allow_unused = true}));
      }};
  for (const Case& each : cases) {
    CAPTURE(each.what);
    for (std::size_t h = 0; h < hangs.size(); ++h) {
      CAPTURE(h);
      for (std::size_t r = 0; r < runs.size(); ++r) {
        if (h == 2 && r == 1) continue;  // grad() accumulates nothing
        for (const bool create_graph : {false, true}) {
          const Tensor x = tensor({1, 2}, {.requires_grad = true});
          const Tensor h1 = square(x);
          const Tensor y = sum(h1);
          std::optional<NoGrad> none;
          std::optional<EnableGrad> enable;
          bool called = false;
          bool recorded_in_sweep = !create_graph;
          hangs[h](x, h1, [&] {
            called = true;
            each.change(none, enable);
          });
          on_gradient(x, [&](const Tensor&) { return recorded_in_sweep = is_recording(), Tensor(); });
          if (each.no_grad_before) none.emplace();
          runs[r](y, x, create_graph);
          REQUIRE(called);
          CHECK(is_recording() == each.records_after);
          if (each.what == "an outer NoGrad ends") CHECK(recorded_in_sweep == create_graph);
          enable.reset();
          none.reset();
          CHECK(is_recording());
          x.clear_grad();  // a recorded gradient leads back to x, which would keep it for ever
        }
      }
    }
  }
}
