#include "xtgrad/optim/advance.h"

#include <fmt/format.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/cast.h"

namespace xtgrad::inline v1::optim::detail {
namespace {

constexpr Dtype scalar_dtype = float64;

std::string describe(const Tensor& x) {
  return fmt::format("{} {}", to_string(x.dtype()), to_string(x.shape()));
}

void check_fits(std::string_view optimizer, std::string_view what, std::size_t i, const Tensor& x,
                const Tensor& parameter) {
  if (x.shape() == parameter.shape() && x.dtype() == parameter.dtype()) return;
  const std::string message =
      fmt::format("{}: parameter {} and its {} differ: the parameter is {}, the {} is {}", optimizer, i, what,
                  describe(parameter), what, describe(x));
  if (x.shape() != parameter.shape()) throw ShapeError(message);
  throw DtypeError(message);
}

}  // namespace

bool wants_gradient(const Update& update, const State& state) {
  if (update.value.requires_grad() || update.gradient.requires_grad() || update.lr.requires_grad())
    return true;
  for (const Tensor& moment : state.moments) {
    if (moment.defined() && moment.requires_grad()) return true;
  }
  return false;
}

Tensor as_float64(const Hyper& hyper) {
  return hyper.is_tensor() ? xtgrad::detail::cast(hyper.tensor(), float64)
                           : full({}, hyper.value(), {.dtype = float64});
}

void fill_moments(State& state, const Tensor& value, std::size_t count, std::size_t scalars) {
  for (std::size_t k = 0; k < count + scalars; ++k) {
    if (state.moments[k].defined()) continue;
    state.moments[k] = k < count ? zeros_like(value) : zeros({}, {.dtype = float64});
  }
}

void check_step(std::string_view optimizer, const std::vector<Tensor>& parameters,
                const std::vector<Tensor>& gradients, const std::vector<State>& states, std::size_t first,
                std::size_t scalars) {
  if (gradients.size() != parameters.size()) {
    throw ValueError(
        fmt::format("{}: got {} gradients for {} parameters; an empty handle stands for no gradient",
                    optimizer, gradients.size(), parameters.size()));
  }
  if (!states.empty() && states.size() != parameters.size()) {
    throw ValueError(fmt::format("{}: got {} states for {} parameters; the first step takes none", optimizer,
                                 states.size(), parameters.size()));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_floating(parameters[i].dtype())) {
      throw DtypeError(fmt::format("{}: a parameter must be float32 or float64: parameter {} is {}",
                                   optimizer, i, to_string(parameters[i].dtype())));
    }
    if (gradients[i].defined()) check_fits(optimizer, "gradient", i, gradients[i], parameters[i]);
    if (states.empty()) continue;
    for (std::size_t k = 0; k < State::max_moments; ++k) {
      const Tensor& moment = states[i].moments[k];
      if (!moment.defined()) continue;
      if (k < first || k >= first + scalars) {
        check_fits(optimizer, "moment", i, moment, parameters[i]);
      } else if (moment.shape() != Shape{}) {
        throw ShapeError(fmt::format("{}: moment {} of parameter {} must be float64 []: got {}", optimizer, k,
                                     i, describe(moment)));
      } else if (moment.dtype() != scalar_dtype) {
        throw DtypeError(fmt::format("{}: moment {} of parameter {} must be float64 []: got {}", optimizer, k,
                                     i, describe(moment)));
      }
    }
  }
}

}  // namespace xtgrad::v1::optim::detail
