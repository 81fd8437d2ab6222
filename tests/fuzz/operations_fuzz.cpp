// The public operations on any shapes, dtypes, elements and options: a row of calls, each on what those
// before it gave, and the way back through all of them. A call gives a result, an Error, or an OutOfMemory
// where a side beyond all memory was asked for; anything else is a fault. The bytes choose the calls.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <span>
#include <vector>

#include "tests/fuzz/choices.h"
#include "tests/fuzz/operation_table.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

constexpr std::size_t most_calls = 12;
constexpr std::int64_t most_elements =
    4096;  // a result of more is not gone on with: no time is spent on size

/// The way back through what a tensor was made of, with a graph of its own where the choice says so, and then
/// through that.
void go_back(fuzz::Choices& choices, const fuzz::Tensors& tensors) {
  const Tensor output = sum(fuzz::one_of(choices, tensors));
  if (!output.requires_grad()) return;
  if (choices.flag()) {
    output.backward();
    return;
  }
  std::vector<Tensor> leaves;
  for (const Tensor& tensor : tensors) {
    if (tensor.is_leaf() && tensor.requires_grad()) leaves.push_back(tensor);
  }
  const std::vector<Tensor> first =
      grad(std::array{output}, leaves, {.create_graph = true, .allow_unused = true});
  Tensor total = zeros({}, {.dtype = output.dtype()});
  for (const Tensor& gradient : first) {
    if (gradient.defined() && gradient.dtype() == output.dtype()) total = total + sum(gradient);
  }
  if (total.requires_grad()) total.backward();
}

void call(fuzz::Choices& choices, fuzz::Tensors& tensors) {
  const std::span<const fuzz::Operation> table = fuzz::operations();
  for (Tensor& result : table[choices.below(table.size())](choices, tensors)) {
    if (!result.defined() || result.shape().rank() > Shape::max_rank) std::abort();
    // Elements that cannot be counted cannot be there.
    if (result.numel() < 0) std::abort();
    if (result.numel() <= most_elements) tensors.push_back(result);
  }
}

/// True if `run` ends as it may.
template <class F>
void allow_errors(const F& run) {
  try {
    run();
  } catch (const InternalError&) {
    std::abort();  // by its own word a fault of the library
  } catch (const Error&) {
  } catch (const OutOfMemory&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices({data, size});
  fuzz::Tensors tensors;
  tensors.push_back(zeros({}));  // so that there is one
  for (std::size_t i = 0; i < 3; ++i) {
    allow_errors([&] { tensors.push_back(fuzz::fresh(choices)); });
  }
  for (std::size_t i = 0; i < most_calls && !choices.empty(); ++i) {
    allow_errors([&] { call(choices, tensors); });
  }
  allow_errors([&] { go_back(choices, tensors); });
  return 0;
}
