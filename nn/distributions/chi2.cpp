#include "xtgrad/nn/distributions/chi2.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

Chi2::Chi2(const Chi2Parameters& parameters)
    : Chi2((detail::common_shape("Chi2", {{"df", parameters.df}}),
            detail::checked_positive("Chi2", {"df", parameters.df}))) {}

Chi2::Chi2(const Tensor& df)
    : Gamma({.concentration = 0.5 * df, .rate = full({}, 0.5, {.dtype = df.dtype()})}), df_(df) {}

}  // namespace xtgrad::v1::distributions
