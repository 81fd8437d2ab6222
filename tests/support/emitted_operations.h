#pragma once

#include <map>
#include <string>

namespace xtgrad::inline v1::testing {

/// Of how many orders emitted C++ has an operation's derivatives: 2 for all that is tried, 0 for its value
/// alone, -1 for an operation without a text. The walk of tests/autograd/emit holds the library to it, and
/// docs/ops.md says it.
inline int emitted_orders(const std::string& operation) {
  static const std::map<std::string, int> others = {{"pow", 0},           {"max", -1},
                                                    {"min", -1},          {"sort", -1},
                                                    {"topk", -1},         {"unfold2d", -1},
                                                    {"fold2d", -1},       {"batch_norm", -1},
                                                    {"normalize_by", -1}, {"layer_norm", -1},
                                                    {"pad", -1},          {"solve_triangular", -1},
                                                    {"cholesky", -1},     {"cholesky_solve", -1},
                                                    {"solve", -1},        {"inverse", -1},
                                                    {"det", -1},          {"slogdet", -1},
                                                    {"lu", -1},           {"qr", -1},
                                                    {"eigh", -1},         {"eigvalsh", -1},
                                                    {"svd", -1},          {"svdvals", -1},
                                                    {"pinv", -1},         {"lstsq", -1},
                                                    {"matrix_norm", -1},  {"matrix_power", -1},
                                                    {"matrix_exp", -1},   {"vander", 0},
                                                    {"einsum", 0}};
  const auto found = others.find(operation);
  return found == others.end() ? 2 : found->second;
}

}  // namespace xtgrad::testing
