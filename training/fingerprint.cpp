#include "xtgrad/training/fingerprint.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/training/digest.h"

namespace xtgrad::inline v1::training {
namespace {

std::uint64_t digest_of(const Tensor& x, std::uint64_t start) {
  return detail::digest(std::as_bytes(std::span(xtgrad::detail::bytes_of_elements(x))), start);
}

}  // namespace

std::uint64_t fingerprint(const datasets::Dataset& data) {
  // Of one batch, which is let go again: a data set of bytes would keep all of its inputs as numbers.
  std::uint64_t state = detail::digest_start;
  for (auto& [inputs, labels] :
       datasets::Loader(data, {.batch_size = std::max<std::int64_t>(data.size(), 1)})) {
    state = digest_of(inputs, state);
  }
  return digest_of(data.labels(), state);
}

}  // namespace xtgrad::v1::training
