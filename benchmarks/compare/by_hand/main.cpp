// The engine by_hand of the comparison.

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/common/serve.h"

int main() {
  bench::Engine engine{.name = "by_hand", .version = COMPARE_VERSION, .families = {}};
  bench::add_scalars(engine.families);
  bench::add_scalar_programs(engine.families);
  bench::add_tiny_mlp(engine.families);
  bench::add_mlps(engine.families);
  bench::add_conv_nets(engine.families);
  bench::add_convolutions(engine.families);
  bench::add_elementwise(engine.families);
  bench::add_rows(engine.families);
  bench::add_moves(engine.families);
  bench::add_draws(engine.families);
  bench::add_products(engine.families);
  bench::add_sequences(engine.families);
  bench::add_gru(engine.families);
  bench::add_pinn(engine.families);
  bench::add_maml(engine.families);
  bench::add_derivatives(engine.families);
  bench::add_objectives(engine.families);
  bench::add_long_chains(engine.families);
  return bench::serve(engine);
}
