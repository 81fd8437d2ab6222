#pragma once

#include "benchmarks/compare/common/workload.h"

namespace bench {

// The objectives of the public benchmarks of automatic differentiation, family `ad`; one function a file,
// each of which adds its kinds.
void add_sums(Families& kinds);
void add_determinant(Families& kinds);
void add_runge_kutta(Families& kinds);
void add_kmeans(Families& kinds);
void add_mixture(Families& kinds);
void add_lstm(Families& kinds);
void add_bundle(Families& kinds);
void add_hand(Families& kinds);

}  // namespace bench
