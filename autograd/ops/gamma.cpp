#include <fmt/format.h>

#include <cstdint>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/gamma.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Lgamma final : Unary<Lgamma, formulas::Lgamma, OpId::lgamma, input_bit(0)> {};
struct Digamma final : Unary<Digamma, formulas::Digamma, OpId::digamma, input_bit(0)> {};

struct Polygamma final : Unary<Polygamma, formulas::Polygamma, OpId::polygamma, input_bit(0)> {
  using Unary::Unary;

  void check_loaded(InputSpecs in, InputSpecs out) const override {
    Unary::check_loaded(in, out);
    require_attribute(formula_.order >= 0 && formula_.order <= formulas::Polygamma::most, name(), "order",
                      "from 0 to 32", formula_.order);
  }
};

}}  // namespace detail

Tensor lgamma(const Tensor& x) { return detail::apply(detail::Lgamma{}, x); }
Tensor digamma(const Tensor& x) { return detail::apply(detail::Digamma{}, x); }

Tensor polygamma(std::int64_t order, const Tensor& x) {
  constexpr std::int64_t most = detail::formulas::Polygamma::most;
  if (order < 0 || order > most)
    throw ValueError(fmt::format("polygamma: order must be from 0 to {}, got {}", most, order));
  return detail::apply(detail::Polygamma(detail::formulas::Polygamma{order}), x);
}

}  // namespace xtgrad::v1
