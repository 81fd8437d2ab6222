// Scopes of evaluation that end in another order than they began.
#include <doctest/doctest.h>

#include <optional>

#include "xtgrad/nn/nn.h"
#include "xtgrad/training/evaluate.h"

using namespace xtgrad;
using training::EvalMode;

TEST_CASE("EvalMode: a model is in use as long as one scope says so, and then as before the first") {
  nn::Sequential model{nn::Linear{2, 2}, nn::Dropout{{.p = 0.5}}};
  model[1].eval();
  const auto modes = [&] {
    return model.is_training() * 100 + model[0].is_training() * 10 + model[1].is_training();
  };
  REQUIRE(modes() == 110);
  std::optional<EvalMode> a, b, part;
  a.emplace(model);
  b.emplace(model);
  a.reset();
  CHECK(modes() == 0);
  b.reset();
  CHECK(modes() == 110);
  // A scope of a part inside that of the whole, and three of one.
  a.emplace(model);
  part.emplace(model[0]);
  b.emplace(model);
  a.reset();
  CHECK(modes() == 0);
  b.reset();
  CHECK(modes() == 100);
  part.reset();
  CHECK(modes() == 110);
  // The whole ends before the part.
  a.emplace(model);
  part.emplace(model[0]);
  a.reset();
  CHECK(modes() == 100);
  part.reset();
  CHECK(modes() == 110);
}
