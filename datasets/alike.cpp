#include "xtgrad/datasets/alike.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets {

WholeSampleTransform alike(SampleTransform transform, std::vector<std::size_t> places) {
  if (places.empty()) throw ValueError("alike: needs at least one place: got none");
  return [transform = std::move(transform), places = std::move(places)](std::vector<Tensor>& sample,
                                                                        Random& random) {
    for (const std::size_t place : places) {
      if (place >= sample.size()) {
        throw ValueError(fmt::format("alike: a place must be below {}, the tensors of a sample: got {}",
                                     sample.size(), place));
      }
      Random same = random;
      sample[place] = transform_sample(sample[place], transform, same);
    }
  };
}

Tensor transform_sample(const Tensor& sample, const SampleTransform& transform, Random& random) {
  if (!sample.defined()) throw ValueError("transform_sample: sample: the handle is empty");
  return detail::transform_sample("transform_sample", sample, std::nullopt, transform, random);
}

}  // namespace xtgrad::v1::datasets
