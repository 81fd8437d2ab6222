// Principal components of the digits, by the singular value decomposition and by gradients. pca [--check |
// PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace xtgrad;

namespace {

// [loss]
/// What is left of the rows of x without their share in the space that v's columns span, per row: its minimum
/// is where these are the first principal components.
Tensor residual(const Tensor& x, const Tensor& v) {
  const Tensor q = qr(v).q;  // [d, k], orthonormal
  const Tensor rest = x - matmul(matmul(x, q), q, {.transpose_b = true});
  return sum(square(rest)) / static_cast<double>(x.size(0));
}
// [/loss]

void draw(const Tensor& components, const std::string& path) {
  std::vector<std::string> captions;
  for (std::int64_t i = 0; i < components.size(0); ++i) captions.push_back(std::to_string(i + 1));
  plot::save(plot::draw_images(reshape(components, {components.size(0), 8, 8}),
                               {.title = "Principal components of the digits",
                                .captions = captions,
                                .per_row = 8,
                                .map = plot::heat_map}),
             path);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string argument = argc > 1 ? argv[1] : "";
  Random random(1);
  if (argument == "--check") {
    const Tensor x = randn({7, 4}, random, {.dtype = float64}), v = randn({4, 2}, random, {.dtype = float64});
    require_grads([&](const Tensor& t) { return residual(x, t); }, v, {.name = "residual"});
    std::printf("gradients are right\n");
    return 0;
  }
  const Tensor images = datasets::digits({.dtype = float64}).inputs();
  const Tensor x = images - mean(images, {.axes = {0}});
  const std::int64_t k = 16;

  // [svd]
  const Svd decomposed = svd(x);
  const Tensor components = slice(decomposed.vh, {.stop = k});  // [k, 64]
  const Tensor variances = square(decomposed.s) / static_cast<double>(x.size(0));
  // [/svd]
  const double all = sum(variances).item();
  for (const std::int64_t count : {1, 2, 4, 8, 16}) {
    std::printf("%2d components: %.1f %% of the variance\n", static_cast<int>(count),
                100 * sum(slice(variances, {.stop = count})).item() / all);
  }

  // [gradient]
  nn::Parameter v(randn({64, k}, random, {.dtype = float64}));
  optim::LBFGS lbfgs({v.cell()}, {.max_iter = 100, .line_search = optim::LineSearch::strong_wolfe});
  const optim::LBFGSStep step = lbfgs.step([&] { return residual(x, v); });
  // [/gradient]
  const Tensor cosines = svdvals(matmul(components, qr(v.tensor().detach()).q));
  std::printf("by gradients: %.6f is left after %d iterations, by svd %.6f\n", residual(x, v).item(),
              static_cast<int>(step.iterations()), sum(slice(variances, {.start = k})).item());
  std::printf("least cosine of an angle between both spaces: %.6f\n", amin(cosines).item());
  if (!argument.empty()) {
    draw(components, argument);
    std::printf("drawn: %s\n", argument.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
