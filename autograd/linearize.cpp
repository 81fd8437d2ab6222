#include "xtgrad/autograd/linearize.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "xtgrad/autograd/core/copied.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/program/pure_program.h"
#include "xtgrad/autograd/program/recorder.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// Of values that do not depend on tangents, which are kept, each.
constexpr std::size_t most_folded_bytes = std::size_t{1} << 24;

/// One direction of the map: recorded at the first call, or known not to be.
struct Direction {
  bool was_tried = false;
  std::optional<PureProgram> program = std::nullopt;
};

void check_vectors(std::string_view what, std::span<const Tensor> given, std::span<const Tensor> like) {
  if (given.size() != like.size()) {
    throw ValueError(fmt::format("linearize: got {} {}s, the map needs {}", given.size(), what, like.size()));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i].defined()) continue;
    if (given[i].shape() != like[i].shape()) {
      throw ShapeError(fmt::format("linearize: {} {} has shape {}, it needs {}", what, i,
                                   to_string(given[i].shape()), to_string(like[i].shape())));
    }
    if (given[i].dtype() != like[i].dtype() || !is_floating(like[i].dtype())) {
      throw DtypeError(fmt::format("linearize: {} {} is {}, it needs {}", what, i,
                                   to_string(given[i].dtype()),
                                   is_floating(like[i].dtype()) ? to_string(like[i].dtype())
                                                                : "an empty handle: what it is of is not "
                                                                  "floating"));
    }
  }
}

/// The floating ones of `like`, with zeros where nothing is given.
std::vector<Tensor> filled(std::span<const Tensor> given, std::span<const Tensor> like) {
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!is_floating(like[i].dtype())) continue;
    all.push_back(given[i].defined() ? given[i].detach() : zeros_like(like[i]));
  }
  return all;
}

/// One for each of `like`, empty where that is not floating.
std::vector<Tensor> spread_out(std::vector<Tensor> found, std::span<const Tensor> like) {
  std::vector<Tensor> all(like.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < like.size(); ++i) {
    if (is_floating(like[i].dtype())) all[i] = std::move(found[next++]);
  }
  return all;
}

}  // namespace

/// Tangents are of the inputs that are floating, cotangents of such outputs, and so are results.
class LinearizationState {
 public:
  LinearizationState(Pullback pullback, std::span<const Tensor> inputs) : pullback_(std::move(pullback)) {
    for (const Tensor& input : inputs) inputs_.push_back(input.detach());
    for (const Tensor& output : pullback_.outputs()) outputs_.push_back(output.detach());
  }

  [[nodiscard]] const std::vector<Tensor>& outputs() const { return outputs_; }

  std::vector<Tensor> push(std::span<const Tensor> tangents) {
    check_vectors("tangent", tangents, inputs_);
    std::vector<Tensor> dummies;
    for (const Tensor& output : outputs_) {
      if (is_floating(output.dtype())) dummies.push_back(zeros_like(output));
    }
    const auto product = [&](std::span<const Tensor> given, std::span<const Tensor> moved) {
      return pushed(given, moved);
    };
    return spread_out(run(push_, dummies, filled(tangents, inputs_), product), outputs_);
  }

  std::vector<Tensor> pull(std::span<const Tensor> cotangents) {
    check_vectors("cotangent", cotangents, outputs_);
    const auto product = [&](std::span<const Tensor>, std::span<const Tensor> given) {
      return pulled(given);
    };
    return spread_out(run(pull_, {}, filled(cotangents, outputs_), product), inputs_);
  }

  [[nodiscard]] const Program* program(const Direction& direction) const {
    return direction.program ? &direction.program->program() : nullptr;
  }
  [[nodiscard]] const Direction& push_direction() const { return push_; }
  [[nodiscard]] const Direction& pull_direction() const { return pull_; }

 private:
  /// J^T u, a row of the floating inputs.
  [[nodiscard]] std::vector<Tensor> pulled(std::span<const Tensor> cotangents) const {
    std::vector<Tensor> gradients =
        pullback_(spread_out(std::vector<Tensor>(cotangents.begin(), cotangents.end()), outputs_));
    std::vector<Tensor> floating;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (is_floating(inputs_[i].dtype())) floating.push_back(std::move(gradients[i]));
    }
    return floating;
  }

  /// J v as the vjp of the vjp, which is linear in its cotangent, whatever that is.
  [[nodiscard]] std::vector<Tensor> pushed(std::span<const Tensor> dummies,
                                           std::span<const Tensor> tangents) const {
    std::vector<Tensor> variables, gradients;
    {
      const EnableGrad record;
      for (const Tensor& dummy : dummies) variables.push_back(dummy.detach().set_requires_grad());
      gradients = pulled(variables);
    }
    std::vector<Tensor> used;
    GradOptions options{.keep_graph = true, .allow_unused = true};
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].requires_grad()) continue;
      used.push_back(gradients[i]);
      options.cotangents.push_back(tangents[i]);
    }
    std::vector<Tensor> found(variables.size());
    if (!used.empty() && !variables.empty()) found = grad(used, variables, options);
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (!found[k].defined()) found[k] = zeros_like(variables[k]);
    }
    return found;
  }

  /// `product(given, vectors)`, recorded at the first call.
  template <class Product>
  std::vector<Tensor> run(Direction& direction, std::span<const Tensor> given, std::vector<Tensor> vectors,
                          const Product& product) {
    const NoGrad no_history;
    const bool is_seen = thread_state.is_watched() || pullback_.has_hooked_inputs();
    if (direction.program && !is_seen) return direction.program->run(vectors);
    if (direction.was_tried || is_seen) return product(given, vectors);
    direction.was_tried = true;
    // Each in memory of its own, by which the recorder tells them apart.
    std::vector<Tensor> own;
    for (const Tensor& vector : vectors) own.push_back(make_constant(copied(array_of(vector))));
    ProgramRecorder recorder("linearize", ProgramRecorder::OfRules());
    TracedRoles roles;
    for (const Tensor& each : given) roles.inputs.push_back(recorder.declare("given", each));
    for (const Tensor& each : own) roles.inputs.push_back(recorder.declare("in", each));
    std::vector<Tensor> results = product(given, own);
    for (const Tensor& result : results) roles.results.push_back(recorder.end(result));
    if (!recorder.noted().empty()) return results;
    direction.program.emplace(recorder.take(roles), given, most_folded_bytes);
    return results;
  }

  Pullback pullback_;
  std::vector<Tensor> inputs_, outputs_;
  Direction push_, pull_;
};

}  // namespace detail

Linearization::Linearization(Pullback pullback, std::span<const Tensor> inputs)
    : state_(std::make_unique<detail::LinearizationState>(std::move(pullback), inputs)) {}
Linearization::~Linearization() = default;
Linearization::Linearization(Linearization&&) noexcept = default;
Linearization& Linearization::operator=(Linearization&&) noexcept = default;

const std::vector<Tensor>& Linearization::outputs() const& { return state_->outputs(); }
std::vector<Tensor> Linearization::outputs() const&& { return state_->outputs(); }

std::vector<Tensor> Linearization::operator()(std::span<const Tensor> tangents) {
  return state_->push(tangents);
}
std::vector<Tensor> Linearization::transposed(std::span<const Tensor> cotangents) {
  return state_->pull(cotangents);
}

namespace {

Tensor only(std::string_view what, std::vector<Tensor> results) {
  if (results.size() != 1) {
    throw ValueError(fmt::format("linearize: the function has {} {}, not one; pass a span of vectors",
                                 results.size(), what));
  }
  return std::move(results[0]);
}

}  // namespace

Tensor Linearization::operator()(const Tensor& tangent) {
  return only("outputs", state_->push(std::span(&tangent, 1)));
}
Tensor Linearization::transposed(const Tensor& cotangent) {
  return only("inputs", state_->pull(std::span(&cotangent, 1)));
}

const Program* Linearization::program() const& { return state_->program(state_->push_direction()); }
const Program* Linearization::transposed_program() const& {
  return state_->program(state_->pull_direction());
}

Linearization linearize(const TensorFunction& f, std::span<const Tensor> inputs) {
  detail::check_function("linearize", static_cast<bool>(f));
  return Linearization(vjp(f, inputs), inputs);
}

Linearization linearize(const UnaryTensorFunction& f, const Tensor& x) {
  detail::check_function("linearize", static_cast<bool>(f));
  const auto check = [](std::string_view what, const Tensor& tensor) {
    if (is_floating(tensor.dtype())) return;
    throw DtypeError(
        fmt::format("linearize: {} must be float32 or float64: got {}", what, to_string(tensor.dtype())));
  };
  check("x", x);
  Linearization map = linearize(
      [&f](std::span<const Tensor> inputs) { return std::vector<Tensor>{f(inputs[0])}; }, std::span(&x, 1));
  check("f(x)", map.outputs()[0]);
  return map;
}

}  // namespace xtgrad::v1
