// The engine xtgrad of the comparison: models and operations as its users write them. With COMPARE_REPLAY the
// engine xtgrad_replay, in which steps are captured and run again.

#include <set>
#include <string>

#include "benchmarks/compare/common/serve.h"
#include "benchmarks/compare/xtgrad/helpers.h"

namespace {

/// What is replayed: steps of one of the helpers' classes.
void keep_captured(bench::Families& families) {
  static const std::set<std::string> captured{"chain_0d",   "tree_0d",       "leaves_256",  "pendulum",
                                              "options_0d", "oscillator_0d", "lstm_0d",     "tiny_mlp_adam",
                                              "mlp_sgdm",   "convnet_adam",  "elementwise", "hvp_mlp",
                                              "pinn_step",  "maml",          "ad"};
  std::erase_if(families, [](const auto& family) { return !captured.contains(family.first); });
}

}  // namespace

int main() {
  bench::Engine engine{
      .name = bench::replays ? "xtgrad_replay" : "xtgrad", .version = COMPARE_VERSION, .families = {}};
  engine.set_threads = xtgrad::set_num_threads;
  bench::add_scalars(engine.families);
  bench::add_scalar_programs(engine.families);
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
  if (bench::replays) keep_captured(engine.families);
  return bench::serve(engine);
}
