#pragma once

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

namespace detail {

/// A batch shape that leaves its last dimensions to the event shape. Throws ShapeError for more than there
/// are.
struct SplitShape {
  Shape batch, event;
};
[[nodiscard]] SplitShape split_batch(const Shape& batch, const Shape& event, std::size_t dims);
/// x summed over its last dimensions.
[[nodiscard]] Tensor sum_of_last(const Tensor& x, std::size_t dims);

}  // namespace detail

/// A distribution whose last batch dimensions belong to the event: a draw of one is a whole tensor of
/// independent draws, and its log_prob the sum of theirs.
///
///   distributions::Independent q(distributions::Normal({.loc = mu, .scale = sigma}), 1);
///   q.log_prob(z);  // of mu [n, d] and z [n, d]: [n]
template <Distribution Base>
class Independent : public DistributionBase {
 public:
  /// Throws ShapeError for more dimensions than the batch has.
  Independent(Base base, std::size_t dims)
      : Independent(detail::split_batch(base.batch_shape(), base.event_shape(), dims), std::move(base),
                    dims) {}

  [[nodiscard]] const Base& base() const { return base_; }
  [[nodiscard]] std::size_t dims() const { return dims_; }

  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const {
    return base_.sample(sample_shape, random);
  }
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {},
                               Random& random = default_random()) const requires Reparameterized<Base> {
    return base_.rsample(sample_shape, random);
  }
  [[nodiscard]] Tensor log_prob(const Tensor& value) const {
    return detail::sum_of_last(base_.log_prob(value), dims_);
  }
  [[nodiscard]] Tensor entropy() const { return detail::sum_of_last(base_.entropy(), dims_); }
  [[nodiscard]] Tensor mean() const { return base_.mean(); }
  [[nodiscard]] Tensor variance() const { return base_.variance(); }
  [[nodiscard]] Tensor stddev() const { return base_.stddev(); }

 private:
  Independent(const detail::SplitShape& shapes, Base&& base, std::size_t dims)
      : DistributionBase(shapes.batch, shapes.event, base.dtype()), base_(std::move(base)), dims_(dims) {}

  Base base_;
  std::size_t dims_;
};

}}}  // namespace xtgrad::v1::distributions
