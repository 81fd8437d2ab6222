#include "benchmarks/compare/by_hand/objectives.h"

#include "benchmarks/compare/by_hand/families.h"

namespace bench {

void add_objectives(Families& families) {
  Families kinds;
  add_sums(kinds);
  add_determinant(kinds);
  add_runge_kutta(kinds);
  add_kmeans(kinds);
  add_mixture(kinds);
  add_lstm(kinds);
  add_bundle(kinds);
  add_hand(kinds);
  families["ad"] = by_kind(std::move(kinds));
}

}  // namespace bench
