#include "xtgrad/autograd/custom_vjp.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/custom_vjp_as.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace {

void check_arguments(bool complete, const CustomVjpOptions& options) {
  if (options.name.empty()) throw ValueError("custom_vjp: the name is empty; leave it out for none");
  if (complete) return;
  throw ValueError(fmt::format("{}: needs a function and a rule, got an empty function", options.name));
}

}  // namespace

Tensor custom_vjp(const AnyCallable<Tensor(std::span<const Tensor>)>& f, VjpRule rule,
                  std::span<const Tensor> inputs, const CustomVjpOptions& options) {
  check_arguments(f && rule, options);
  return detail::custom_vjp_as(options.name, f, std::move(rule), inputs);
}

Tensor custom_vjp(const AnyCallable<Tensor(const Tensor&)>& f, UnaryVjpRule rule, const Tensor& x,
                  const CustomVjpOptions& options) {
  check_arguments(f && rule, options);
  return custom_vjp([&f](std::span<const Tensor> in) { return f(in[0]); },
                    [rule = std::move(rule)](std::span<const Tensor> in, const Tensor& y, const Tensor& g) {
                      return std::vector<Tensor>{rule(in[0], y, g)};
                    },
                    std::span(&x, 1), options);
}

}  // namespace xtgrad::v1
