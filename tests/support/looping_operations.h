#pragma once

#include <map>
#include <string>

namespace xtgrad::inline v1::testing {

/// How an operation runs on a batch of examples: "" in one go, with all primitives that it and its rule run,
/// whichever operands are batched; "in part", or "loops", example by example; or "refused" by `vmap`, which
/// captures what it runs. And why.
struct Looping {
  std::string how;
  std::string reason;
};

/// The walk of tests/autograd/ops/batch_loop_test.cpp holds the library to it, and docs/ops.md says it.
inline Looping looping_of(const std::string& operation) {
  static const std::map<std::string, Looping> looping = {
      {"bincount", {"refused", "the shape follows the elements"}},
      {"histc", {"loops", "its bins are those of one range"}},
      {"unique", {"refused", "the shape follows the elements"}},
      {"scatter_mul", {"loops", "how many steps it takes depends on the index"}},
      {"masked_select", {"refused", "the shape follows the elements"}},
      {"nonzero", {"refused", "the shape follows the elements"}},
      {"masked_scatter", {"in part", "places in the source are counted mask by mask"}},
      {"conv2d",
       {"in part",
        "the gradient of weights, and weights of each example as large as the image, are sums in an order of "
        "their own"}},
      {"conv_transpose2d", {"in part", "as conv2d"}},
      {"conv2d_weight_grad", {"in part", "it is a sum in an order of its own"}},
      {"conv1d", {"in part", "as conv2d"}},
      {"conv_transpose1d", {"in part", "as conv2d"}},
      {"conv3d", {"in part", "as conv2d"}},
      {"conv_transpose3d", {"in part", "as conv2d"}},
      {"layer_norm",
       {"in part", "weights of each example, and the kernel of all gradients, which sums over rows"}},
      {"rms_norm", {"in part", "as layer_norm"}},
      {"ctc_loss", {"in part", "labels one after the other, and the kernel of its gradient"}},
  };
  const auto found = looping.find(operation);
  return found == looping.end() ? Looping{} : found->second;
}

}  // namespace xtgrad::testing
