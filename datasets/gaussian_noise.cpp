#include "xtgrad/datasets/gaussian_noise.h"

#include <algorithm>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/image_sample.h"

namespace xtgrad::inline v1::datasets {

SampleTransform gaussian_noise(const GaussianNoiseOptions& options) {
  detail::require_finite("gaussian_noise", "mean", options.mean);
  detail::require_deviation("gaussian_noise", "sigma", options.sigma);
  return {[options](const SampleView& from, const SampleTarget& to, Random& random) {
    detail::require_floating("gaussian_noise", from.dtype());
    xtgrad::detail::visit_floating(from.dtype(), [&]<class T>(T) {
      const auto x = from.data<T>();
      std::transform(x.begin(), x.end(), to.data<T>().begin(), [&](T element) {
        const double noise = options.mean + options.sigma * random.next_normal();
        const T y = element + static_cast<T>(noise);
        return options.clip ? std::clamp(y, T{0}, T{1}) : y;
      });
    });
  }};
}

}  // namespace xtgrad::v1::datasets
