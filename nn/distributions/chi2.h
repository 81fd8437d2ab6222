#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/gamma.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct Chi2Parameters {
  Tensor df = {};  ///< degrees of freedom, above 0
};

/// The distribution of a sum of df squares of standard normal numbers: Gamma(df / 2, 1 / 2). Throws
/// ValueError for df that is not above 0.
class Chi2 : public Gamma {
 public:
  explicit Chi2(const Chi2Parameters& parameters);

  [[nodiscard]] const Tensor& df() const { return df_; }

 private:
  explicit Chi2(const Tensor& df);

  Tensor df_;
};

}}}  // namespace xtgrad::v1::distributions
