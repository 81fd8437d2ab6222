#include "xtgrad/autograd/testing/subject.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::detail::checks {

void Subject::fail(std::string_view what) {
  constexpr std::size_t most = 6;
  if (failures_.size() == most) {
    ++dropped_;
    return;
  }
  const std::string attributes = op.attributes.empty() ? "" : fmt::format("({})", op.attributes);
  failures_.push_back(fmt::format("{}{}, {}: {}", op.name, attributes, to_string(check_), what));
}

std::vector<std::string> Subject::take_failures() {
  if (dropped_ > 0) {
    failures_.push_back(fmt::format("{}, {}: and {} more", op.name, to_string(check_), dropped_));
  }
  return std::move(failures_);
}

std::vector<Dtype> Subject::floating_dtypes() const {
  std::vector<Dtype> found;
  for (const Dtype dtype : op.dtypes) {
    if (xtgrad::is_floating(dtype)) found.push_back(dtype);
  }
  return found;
}

std::vector<Dtype> Subject::other_dtypes() const {
  std::vector<Dtype> found;
  for (const Dtype dtype : op.dtypes) {
    if (!xtgrad::is_floating(dtype) && op.integers) found.push_back(dtype);
  }
  return found;
}

std::vector<std::size_t> Subject::floating_inputs() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (is_floating(i)) found.push_back(i);
  }
  return found;
}

std::vector<Values> Subject::point(Dtype dtype) const {
  std::vector<Values> values;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    values.push_back(to_values(op.inputs[i]));
    if (is_floating(i)) values.back() = rounded(std::move(values.back()), dtype);
  }
  return values;
}

std::vector<Values> Subject::whole_numbers(std::int64_t low, std::int64_t high, Random& random) const {
  std::vector<Values> values = point(float64);
  for (const std::size_t i : floating_inputs()) {
    for (Real& value : values[i].data) {
      value = static_cast<Real>(low + random.next_below(high - low + 1));
      if (op.takes && !op.takes(static_cast<double>(value))) value = 1;
    }
  }
  return values;
}

std::vector<Tensor> Subject::tensors(std::span<const Values> values, Dtype dtype, bool recorded) const {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    inputs.push_back(is_floating(i) ? to_tensor(values[i], dtype, recorded && op.order > 0)
                                    : to_tensor(values[i], op.inputs[i].dtype()));
  }
  return inputs;
}

std::vector<Tensor> Subject::differentiable_of(std::span<const Tensor> inputs) const {
  std::vector<Tensor> chosen;
  for (const std::size_t i : floating_inputs()) chosen.push_back(inputs[i]);
  return chosen;
}

std::vector<Values> Subject::reference(std::span<const Values> inputs) const {
  if (op.reference) return op.reference(inputs);
  if (!op.element) return {};
  std::vector<Values> outputs;
  const Shape shape = broadcast_shape(inputs);
  std::vector<Real> operands(inputs.size());
  for_each_index(shape, [&](const Index& index) {
    for (std::size_t k = 0; k < inputs.size(); ++k)
      operands[k] = inputs[k].at(broadcast_index(index, inputs[k].shape));
    const std::vector<Real> elements = op.element(operands);
    outputs.resize(elements.size());
    for (std::size_t k = 0; k < elements.size(); ++k) outputs[k].data.push_back(elements[k]);
  });
  // Of nothing, it does not say how many outputs there are.
  if (outputs.empty()) outputs.resize(op.element(std::vector<Real>(inputs.size(), 1)).size());
  for (Values& output : outputs) output.shape = shape;
  return outputs;
}

std::vector<Tensor> Subject::gradients(std::span<const Tensor> inputs, std::span<const Tensor> wanted,
                                       std::span<const Values> cotangents, bool create_graph) const {
  const std::vector<Tensor> outputs = apply(inputs);
  std::vector<Tensor> recorded;
  std::vector<Tensor> g;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!outputs[k].requires_grad()) continue;
    recorded.push_back(outputs[k]);
    g.push_back(to_tensor(cotangents[k], outputs[k].dtype(), create_graph));
  }
  return grad(recorded, wanted, {.cotangents = g, .create_graph = create_graph, .allow_unused = true});
}

std::vector<Values> draw_cotangents(std::span<const Tensor> outputs, double low, double high, Signs signs,
                                    Random& random) {
  std::vector<Values> cotangents;
  for (const Tensor& y : outputs) {
    cotangents.push_back(rounded(fill(y.shape(),
                                      [&](const Index&) -> Real {
                                        const double size = low + (high - low) * random.next_uniform();
                                        const bool minus = signs == Signs::both && random.next_below(2) == 0;
                                        return minus ? -size : size;
                                      }),
                                 y.dtype()));
  }
  return cotangents;
}

std::vector<Tensor> recorded_of(std::span<const Tensor> outputs) {
  std::vector<Tensor> recorded;
  for (const Tensor& y : outputs) {
    if (y.requires_grad()) recorded.push_back(y);
  }
  return recorded;
}

std::string of_output(std::size_t k, std::size_t count, std::string_view what) {
  return count == 1 ? std::string(what) : fmt::format("output {}: {}", k, what);
}

}  // namespace xtgrad::v1::detail::checks
