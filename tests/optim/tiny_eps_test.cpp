#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/optim/optim.h"

using namespace xtgrad;

TEST_CASE("an optimizer's eps that float32 takes for 0 keeps parameters without a gradient where they are") {
  const auto check_still = [](const auto& options, bool moves_far = true) {
    const Tensor w = tensor({1, -2}), g = tensor({0, 1});
    for (const bool recorded : {false, true}) {
      const Tensor p = recorded ? w.detach().set_requires_grad() : w;
      const optim::Stepped stepped = optim::step({p}, {g}, std::vector<optim::State>(1), options);
      const Tensor& moved = stepped.parameters[0];
      CHECK(moved.at({0}) == 1);
      CHECK(std::isfinite(moved.at({1})));
      CHECK((moved.at({1}) < -2) == moves_far);
    }
  };
  check_still(optim::AdamOptions{.lr = 0.1, .eps = 1e-50});
  check_still(optim::NAdamOptions{.lr = 0.1, .eps = 1e-50});
  check_still(optim::AdamaxOptions{.lr = 0.1, .eps = 1e-50});
  check_still(optim::RMSPropOptions{.lr = 0.1, .eps = 1e-50});
  check_still(optim::AdagradOptions{.lr = 0.1, .eps = 1e-50});
  check_still(optim::AdadeltaOptions{.lr = 0.1, .eps = 1e-50},
              false);  // whose first step is as small as its eps
}
