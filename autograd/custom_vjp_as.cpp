#include "xtgrad/autograd/custom_vjp_as.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/example_guard.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Refuses to let a rule read what a function, listed for a batch, has computed of one example: the rule runs
/// for all of them.
class ExampleReads final : public Watcher {
 public:
  ExampleReads(std::string_view function, const std::vector<std::shared_ptr<const ExampleValues>>& examples)
      : function_(function), examples_(examples), scope_(*this) {}

  void before_eval(const Primitive&, Inputs in, Outputs) override {
    for (const Array* array : in) check(*array);
  }
  void after_eval(const Primitive&, Inputs, Outputs) override {}
  void before_read(const Array& array, std::string_view) override { check(array); }

 private:
  void check(const Array& array) const {
    for (const std::shared_ptr<const ExampleValues>& values : examples_) {
      if (!values->is_listed || !values->contains(array)) continue;
      throw GraphError(fmt::format(
          "{}: the rule uses a tensor of shape {} that a function of one example has computed, and "
          "runs for a batch of them: make it an input",
          function_, to_string(array.shape)));
    }
  }

  std::string_view function_;
  const std::vector<std::shared_ptr<const ExampleValues>>& examples_;
  WatchScope scope_;
};

/// The node of a custom function: its value is computed by other primitives, its rule is the user's.
class CustomVjp final : public DifferentiablePrimitive<CustomVjp> {
 public:
  CustomVjp(std::string name, VjpRule rule)
      : function_(
            std::make_shared<const Function>(std::move(name), std::move(rule), examples_being_listed())) {}

  [[nodiscard]] std::string_view name() const override { return function_->name; }
  [[nodiscard]] Reads reads(Wanted) const override { return ~reads_nothing; }
  void infer(InputSpecs, OutputSpecs) const override { throw_not_run(); }
  void eval(Inputs, Outputs) const override { throw_not_run(); }

  void vjp(VjpContext& context) const override {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < context.inputs(); ++i) inputs.emplace_back(context.input(i));
    std::vector<Tensor> gradients = run_rule(inputs, context.output(), context.g());
    if (gradients.size() != inputs.size()) {
      throw ValueError(
          fmt::format("{}: the rule gave {} cotangents for {} inputs; an empty handle stands for none",
                      name(), gradients.size(), inputs.size()));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!gradients[i].defined() || !context.wanted(i)) continue;
      check_fits(i, gradients[i], inputs[i]);
      context.set(i, std::move(gradients[i]));
    }
  }

 private:
  [[nodiscard]] std::vector<Tensor> run_rule(const std::vector<Tensor>& inputs, const Tensor& output,
                                             const Tensor& g) const {
    if (function_->examples.empty()) return function_->rule(inputs, output, g);
    const ExampleReads watch(name(), function_->examples);
    return function_->rule(inputs, output, g);
  }
  void check_fits(std::size_t i, const Tensor& gradient, const Tensor& input) const {
    if (gradient.shape() != input.shape()) {
      throw ShapeError(fmt::format("{}: the rule's cotangent of input {} has shape {}, the input has {}",
                                   name(), i, to_string(gradient.shape()), to_string(input.shape())));
    }
    if (gradient.dtype() != input.dtype()) {
      throw DtypeError(fmt::format("{}: the rule's cotangent of input {} is {}, the input is {}", name(), i,
                                   to_string(gradient.dtype()), to_string(input.dtype())));
    }
  }
  [[noreturn]] void throw_not_run() const {
    throw InternalError(fmt::format("{}: its function is run by its own operations", name()));
  }

  struct Function {
    Function(std::string its_name, VjpRule its_rule,
             std::vector<std::shared_ptr<const ExampleValues>> its_examples)
        : name(std::move(its_name)), rule(std::move(its_rule)), examples(std::move(its_examples)) {}
    std::string name;
    VjpRule rule;
    std::vector<std::shared_ptr<const ExampleValues>> examples;  // of functions that were listed around it
  };

  std::shared_ptr<const Function> function_;
};

/// Records nothing on this thread, and refuses tensors that want a gradient, while in scope; but what has
/// been made to want one since may be used, recorded or not, for f may take derivatives.
class RefuseCaptures {
 public:
  explicit RefuseCaptures(const char* function)
      : before_(thread_state.mode),
        refused_before_(std::exchange(thread_state.refused_by, function)),
        until_before_(std::exchange(thread_state.refused_until, thread_state.last_id)) {
    thread_state.mode = static_cast<Mode>((before_ & ~recording_mode) | refusing_mode);
  }
  ~RefuseCaptures() {
    thread_state.mode = before_;
    thread_state.refused_by = refused_before_;
    thread_state.refused_until = until_before_;
  }
  RefuseCaptures(const RefuseCaptures&) = delete;
  RefuseCaptures& operator=(const RefuseCaptures&) = delete;

 private:
  Mode before_;
  const char* refused_before_;
  std::uint64_t until_before_;
};

}  // namespace

Tensor custom_vjp_as(std::string function, const Callable<Tensor(std::span<const Tensor>)>& f, VjpRule rule,
                     std::span<const Tensor> inputs) {
  if (inputs.size() > max_read_inputs) {
    throw ValueError(
        fmt::format("{}: takes at most {} inputs, got {}", function, max_read_inputs, inputs.size()));
  }
  std::vector<Tensor> constants;
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) {
    constants.push_back(input.detach());
    pointers.push_back(&input);
  }
  Tensor y;
  {
    const RefuseCaptures scope(function.c_str());
    y = f(constants);
    if (!y.defined()) throw GraphError(fmt::format("{}: the function returned an empty handle", function));
    if (y.requires_grad()) {
      // Returned as it is, through no operation, or with a history that the rule stands for.
      if (!is_inner(node_of(y))) throw_captured(node_of(y));
      y = y.detach();
    }
  }
  const Wishes wishes = wishes_of(pointers);
  if (wishes.first == nullptr || !is_floating(y.dtype())) return y;
  return record(CustomVjp(std::move(function), std::move(rule)), Array(array_of(y)), pointers, wishes);
}

}  // namespace xtgrad::v1::detail
