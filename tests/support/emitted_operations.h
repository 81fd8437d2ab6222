#pragma once

#include <map>
#include <string>

namespace xtgrad::inline v1::testing {

/// Of how many orders emitted C++ has an operation's derivatives: 2 for all that is tried, 0 for its value
/// alone, -1 for an operation without a text. The walk of tests/autograd/emit holds the library to it, and
/// docs/ops.md says it.
inline int emitted_orders(const std::string& operation) {
  static const std::map<std::string, int> others = {{"pow", 0},
                                                    {"max", -1},
                                                    {"min", -1},
                                                    {"sort", -1},
                                                    {"topk", -1},
                                                    {"unfold2d", -1},
                                                    {"fold2d", -1},
                                                    {"batch_norm", -1},
                                                    {"normalize_by", -1},
                                                    {"layer_norm", -1},
                                                    {"pad", -1},
                                                    {"amin", -1},
                                                    {"argmin", -1},
                                                    {"any", -1},
                                                    {"all", -1},
                                                    {"var", -1},
                                                    {"stddev", -1},
                                                    {"var_mean", -1},
                                                    {"norm", -1},
                                                    {"prod", -1},
                                                    {"median", -1},
                                                    {"quantile", -1},
                                                    {"mode", -1},
                                                    {"cumsum", -1},
                                                    {"cumprod", -1},
                                                    {"logcumsumexp", -1},
                                                    {"cummax", -1},
                                                    {"cummin", -1},
                                                    {"segment_sum", -1},
                                                    {"segment_mean", -1},
                                                    {"segment_max", -1},
                                                    {"segment_min", -1},
                                                    {"bincount", -1},
                                                    {"histc", -1},
                                                    {"searchsorted", -1},
                                                    {"unique", -1},
                                                    {"count_nonzero", -1},
                                                    {"cdist", -1}};
  const auto found = others.find(operation);
  return found == others.end() ? 2 : found->second;
}

}  // namespace xtgrad::testing
