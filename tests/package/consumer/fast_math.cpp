// Compiled with -ffast-math: what docs/install.md says of such a program.
#include <xtgrad/xtgrad.h>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

using namespace xtgrad;

namespace {

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::exit(1);
}

/// A number that the compiler knows nothing of.
volatile float least = 1e-40F;

}  // namespace

int main() {
#if defined(__x86_64__)
  const float half = least * 0.5F;
  expect(half == 0, "the program's own subnormal numbers are 0, or this test shows nothing");
#endif
  // The number 3.78e-44 is subnormal in float32, not in the double that item() gives.
  const Tensor x = tensor({-100}, {.requires_grad = true});
  const Tensor y = exp(x);
  expect(y.item() > 3.7e-44 && y.item() < 3.9e-44, "exp(-100) is 3.78e-44");
  y.backward();
  expect(x.grad().item() == y.item(), "and so is its derivative");
  expect((tensor({1e-40}) * 0.5).item() > 4.9e-41, "subnormal numbers go in");

  const Tensor many = full({1 << 20}, 1e-40) * 0.5;
  expect(sum((many > 0).to(float32)).item() == 1 << 20, "on all threads");

  // Infinities and NaN are the library's business, too, as long as the program itself does not look at them.
  expect(clamp(tensor({5}), {.max = 3}).item() == 3, "clamp without a lower end");
  const Tensor nan = log(tensor({-1}));
  expect(sum((nan == nan).to(float32)).item() == 0, "NaN is unequal to itself");
  std::ostringstream text;
  text << log(tensor({0}));
  expect(text.str().find("-inf") != std::string::npos, "infinity is printed");
  std::puts("all is well");
}
