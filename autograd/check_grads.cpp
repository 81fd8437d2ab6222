#include "xtgrad/autograd/check_grads.h"

#include <fmt/format.h>

#include "xtgrad/autograd/check/order.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

void check_options(const CheckGradsOptions& options, std::size_t inputs) {
  const auto refuse = [](const std::string& what) { throw ValueError("check_grads: " + what); };
  if (options.order < 1) refuse(fmt::format("order must be at least 1: got {}", options.order));
  if (options.probes < 1) refuse(fmt::format("probes must be at least 1: got {}", options.probes));
  if (!(options.tolerance > 0)) refuse(fmt::format("tolerance must be positive: got {}", options.tolerance));
  if (!(options.coarsest >= options.tolerance)) {
    refuse(fmt::format("coarsest must be at least tolerance: got {} and {}", options.coarsest,
                       options.tolerance));
  }
  if (!options.input_names.empty() && options.input_names.size() != inputs) {
    refuse(fmt::format("got {} input names for {} inputs", options.input_names.size(), inputs));
  }
}

/// Puts this thread's default generator back, so that a check leaves no trace in what follows it.
class KeepDefaultRandom {
 public:
  KeepDefaultRandom() : before_(default_random()) {}
  ~KeepDefaultRandom() { default_random() = before_; }
  KeepDefaultRandom(const KeepDefaultRandom&) = delete;
  KeepDefaultRandom& operator=(const KeepDefaultRandom&) = delete;

 private:
  Random before_;
};

CheckGradsReport check_at(const TensorFunction& f, std::span<const Tensor> inputs,
                          const CheckGradsOptions& options) {
  CheckGradsReport report;
  Random random(options.seed);
  CheckProblem problem = first_order(f, inputs, options, report.evaluations);
  for (;;) {
    OrderCheck check(problem, options, random, report);
    check.run();
    if (!report.ok()) return report;
    if (problem.order == options.order) break;
    problem = next_order(problem, check.output_shapes(), check.values_size(), random);
  }
  report.message = fmt::format(
      "check_grads: {}: right to order {}: relative errors up to {:.1e}, and {:.1e} would have "
      "been noticed in each input; seed {}, {} evaluations",
      options.name, options.order, report.worst_error, report.smallest_detectable, options.seed,
      report.evaluations);
  return report;
}

/// The inputs a thousandth of their size away, each element moved.
std::vector<Tensor> moved(std::span<const Tensor> inputs, Random& random) {
  std::vector<Tensor> result(inputs.begin(), inputs.end());
  for (Tensor& x : result) {
    if (!is_floating(x.dtype()) || x.numel() == 0) continue;
    const Tensor before = x.detach().to(Dtype::float64);
    Values values = values_of(before);
    const Values step = random_probe(values.size(), random);
    const double scale = 1e-3 * scale_of(before);
    for (std::size_t e = 0; e < values.size(); ++e) values[e] += scale * step[e];
    x = from_span(values, x.shape());
  }
  return result;
}

}}  // namespace detail

CheckGradsReport check_grads(const TensorFunction& f, std::span<const Tensor> inputs,
                             const CheckGradsOptions& options) {
  detail::check_function("check_grads", static_cast<bool>(f));
  detail::check_options(options, inputs.size());
  const DefaultDtype in_double(float64);
  const detail::KeepDefaultRandom keep_random;
  CheckGradsReport report = detail::check_at(f, inputs, options);
  Random random(options.seed + 1);
  constexpr int attempts = 3;
  for (int i = 0; i < attempts && options.avoid_kinks && report.result == CheckGradsReport::Result::kink;
       ++i) {
    const std::int64_t evaluations = report.evaluations;
    report = detail::check_at(f, detail::moved(inputs, random), options);
    report.evaluations += evaluations;
  }
  return report;
}

CheckGradsReport check_grads(const UnaryTensorFunction& f, const Tensor& x,
                             const CheckGradsOptions& options) {
  detail::check_function("check_grads", static_cast<bool>(f));
  if (x.defined() && !is_floating(x.dtype())) {
    throw DtypeError(fmt::format("check_grads: x must be float32 or float64: got {}", to_string(x.dtype())));
  }
  return check_grads([&f](std::span<const Tensor> inputs) { return std::vector<Tensor>{f(inputs[0])}; },
                     std::span(&x, 1), options);
}

void require_grads(const TensorFunction& f, std::span<const Tensor> inputs,
                   const CheckGradsOptions& options) {
  detail::check_function("require_grads", static_cast<bool>(f));
  const CheckGradsReport report = check_grads(f, inputs, options);
  if (!report) throw GradientError(report.message);
}

void require_grads(const UnaryTensorFunction& f, const Tensor& x, const CheckGradsOptions& options) {
  detail::check_function("require_grads", static_cast<bool>(f));
  const CheckGradsReport report = check_grads(f, x, options);
  if (!report) throw GradientError(report.message);
}

}  // namespace xtgrad::v1
