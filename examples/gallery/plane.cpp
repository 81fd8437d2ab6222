#include "plane.h"

#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/synthetic.h"

namespace gallery {

PlaneTask moons() {
  return {.name = "moons",
          .train = datasets::moons({.per_class = 60, .noise = 0.3, .seed = 0}),
          .test = datasets::moons({.per_class = 1000, .noise = 0.3, .seed = 1}),
          .grid = {.x = {-1.9, 2.6}, .y = {-1.75, 2.25}}};
}

PlaneTask spirals() {
  return {.name = "spirals",
          .train = datasets::spirals({.classes = 2, .per_class = 60, .turns = 1, .noise = 0.06, .seed = 0}),
          .test = datasets::spirals({.classes = 2, .per_class = 1000, .turns = 1, .noise = 0.06, .seed = 1}),
          .grid = {.x = {-1.25, 1.25}, .y = {-1.25, 1.25}}};
}

PlaneOutcome outcome_of(const std::string& classifier, const PlaneTask& task,
                        const Callable<Tensor(const Tensor& points)>& classify) {
  const auto percent_correct = [&](const datasets::Dataset& data) {
    return 100 * mean(equal(classify(data.inputs()), data.labels()).to(float64)).item();
  };
  return {classifier, classify(plot::grid_points(task.grid)), percent_correct(task.train),
          percent_correct(task.test)};
}

}  // namespace gallery
