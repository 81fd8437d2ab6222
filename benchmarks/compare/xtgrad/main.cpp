// The engine xtgrad of the comparison: models and operations as its users write them.

#include "benchmarks/compare/common/serve.h"
#include "benchmarks/compare/xtgrad/helpers.h"

int main() {
  bench::Engine engine{.name = "xtgrad", .version = COMPARE_VERSION, .families = {}};
  engine.set_threads = xtgrad::set_num_threads;
  bench::add_scalars(engine.families);
  bench::add_mlps(engine.families);
  bench::add_conv_nets(engine.families);
  bench::add_elementwise(engine.families);
  bench::add_rows(engine.families);
  bench::add_products(engine.families);
  bench::add_draws(engine.families);
  bench::add_sequences(engine.families);
  bench::add_derivatives(engine.families);
  bench::add_objectives(engine.families);
  bench::add_long_chains(engine.families);
  return bench::serve(engine);
}
