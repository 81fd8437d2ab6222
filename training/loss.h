#pragma once

#include <type_traits>
#include <utility>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// A loss of a model's outputs and a loader's labels: a mean over the samples, 0-d. Made from any function of
/// two tensors, or from one of the library's with its options:
///
///   training::Loss plain = nn::cross_entropy;
///   training::Loss smoothed(nn::cross_entropy, {.label_smoothing = 0.1});
///   training::Loss own = [](const Tensor& y, const Tensor& t) { return mean(abs(y - t)); };
///
/// Throws ValueError for an empty function.
class Loss {
 public:
  template <class F>
  requires(std::is_invocable_r_v<Tensor, F, const Tensor&, const Tensor&> &&
           !std::is_same_v<std::remove_cvref_t<F>, Loss>)
      Loss(F function)  // NOLINT(google-explicit-constructor): is a loss
      : function_(std::move(function)) {
    xtgrad::detail::check_function("Loss", static_cast<bool>(function_));
  }
  template <class Options>
  Loss(Tensor (*function)(const Tensor&, const Tensor&, const Options&),  // NOLINT: as above
       std::type_identity_t<Options> options = {})
      : function_([function, options = std::move(options)](const Tensor& outputs, const Tensor& labels) {
          return function(outputs, labels, options);
        }) {
    xtgrad::detail::check_function("Loss", function != nullptr);
  }

  Tensor operator()(const Tensor& outputs, const Tensor& labels) const { return function_(outputs, labels); }

 private:
  Callable<Tensor(const Tensor&, const Tensor&)> function_;
};

}}}  // namespace xtgrad::v1::training
