#pragma once

#include "benchmarks/compare/common/workload.h"

namespace bench {

// What a program without an engine would do: loops over memory that was allocated once, the same BLAS, the
// library's lanes for what a compiler does not vectorize, derivatives written out. Steps allocate nothing.
// One function a family file.
void add_scalars(Families& families);
void add_scalar_programs(Families& families);
void add_tiny_mlp(Families& families);
void add_mlps(Families& families);
void add_conv_nets(Families& families);
void add_convolutions(Families& families);
void add_elementwise(Families& families);
void add_rows(Families& families);
void add_moves(Families& families);
void add_draws(Families& families);
void add_products(Families& families);
void add_sequences(Families& families);
void add_gru(Families& families);
void add_pinn(Families& families);
void add_maml(Families& families);
void add_derivatives(Families& families);
void add_objectives(Families& families);
void add_long_chains(Families& families);

}  // namespace bench
