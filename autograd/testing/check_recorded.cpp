// The node that an operation makes.
#include <fmt/format.h>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

/// The name of the operation that made y, or whose part y is.
std::string_view maker_of(const Tensor& y) {
  const Node& node = node_of(y);
  return (part_at(node) == nullptr ? node : node_of(*node.slots()[0].node())).primitive().name();
}

void check_node(Subject& subject, const Tensor& y, std::size_t k, std::size_t count) {
  const std::string& name = subject.op.name;
  const std::string_view made = maker_of(y);
  switch (subject.op.recorded) {
    case testing::Recorded::own:
      if (made != name) subject.fail(of_output(k, count, fmt::format("made a node of {}", made)));
      return;
    case testing::Recorded::inner:
      if (graph_of(y).count(name) == 0) subject.fail(of_output(k, count, "made no node of its name"));
      return;
    case testing::Recorded::others:
      if (made == name) {
        subject.fail(of_output(k, count, "is composed of others, but made a node of its own"));
      }
      return;
  }
}

}  // namespace

void check_recorded(Subject& subject) {
  const std::vector<Values> values = subject.point(subject.floating_dtypes().back());
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Wanting a gradient even where the operation has none to give.
    inputs.push_back(subject.is_floating(i) ? to_tensor(values[i], subject.floating_dtypes().back(), true)
                                            : subject.op.inputs[i]);
  }
  const std::vector<Tensor> outputs = subject.apply(inputs);
  bool any = false;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const bool has_history = outputs[k].requires_grad() && !outputs[k].is_leaf();
    if (subject.op.order == 0) {
      if (outputs[k].requires_grad() || !outputs[k].is_leaf())
        subject.fail(of_output(k, outputs.size(), "is recorded, but has no derivative"));
    } else if (has_history) {
      any = true;
      check_node(subject, outputs[k], k, outputs.size());
    }
  }
  if (subject.op.order == 0) return;
  if (!any) return subject.fail("is not recorded");
  const NoGrad no_grad;
  if (!recorded_of(subject.apply(inputs)).empty()) subject.fail("is recorded under NoGrad");
}

}  // namespace xtgrad::v1::detail::checks
