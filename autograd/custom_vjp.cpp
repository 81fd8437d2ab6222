#include "xtgrad/autograd/custom_vjp.h"

#include <utility>

#include "xtgrad/autograd/custom_vjp_as.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

Tensor custom_vjp(const std::function<Tensor(std::span<const Tensor>)>& f, VjpRule rule,
                  std::span<const Tensor> inputs) {
  if (!f || !rule) throw ValueError("custom_vjp: needs a function and a rule, got an empty std::function");
  return detail::custom_vjp_as("custom_vjp", f, std::move(rule), inputs);
}

Tensor custom_vjp(const std::function<Tensor(const Tensor&)>& f, UnaryVjpRule rule, const Tensor& x) {
  if (!f || !rule) throw ValueError("custom_vjp: needs a function and a rule, got an empty std::function");
  return custom_vjp([&f](std::span<const Tensor> in) { return f(in[0]); },
                    [rule = std::move(rule)](std::span<const Tensor> in, const Tensor& y, const Tensor& g) {
                      return std::vector<Tensor>{rule(in[0], y, g)};
                    },
                    std::span(&x, 1));
}

}  // namespace xtgrad::v1
