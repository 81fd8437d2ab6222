#pragma once

#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/plot/grid.h"

// Points of two colours in the plane, and what a classifier makes of them.

namespace gallery {

using namespace xtgrad;

/// Points to learn from, others to be tested on, and the part of the plane that is drawn.
struct PlaneTask {
  std::string name;
  datasets::Dataset train;
  datasets::Dataset test;
  plot::Grid grid;
};

/// Two half circles that reach into each other, so noisily that nobody can get all of them right.
[[nodiscard]] PlaneTask moons();
/// Two arms, each once around the other.
[[nodiscard]] PlaneTask spirals();

struct PlaneOutcome {
  std::string classifier;
  Tensor regions;   ///< its colour for each place of the grid
  double training;  ///< correct, in percent
  double test;
};

/// Of a classifier, which is any function from points [n, 2] to labels, int64 [n].
[[nodiscard]] PlaneOutcome outcome_of(const std::string& classifier, const PlaneTask& task,
                                      const Callable<Tensor(const Tensor& points)>& classify);

}  // namespace gallery
