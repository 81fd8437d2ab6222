// The engine libtorch of the comparison: PyTorch from C++.

#include "benchmarks/compare/common/serve.h"
#include "benchmarks/compare/libtorch/helpers.h"

int main() {
  bench::Engine engine{.name = "libtorch", .version = TORCH_VERSION, .families = {}};
  engine.set_threads = [](int threads) { torch::set_num_threads(threads); };
  bench::add_scalars(engine.families);
  bench::add_networks(engine.families);
  bench::add_operations(engine.families);
  return bench::serve(engine);
}
