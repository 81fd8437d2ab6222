#include "xtgrad/autograd/step_list.h"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "xtgrad/autograd/core/trace.h"

namespace xtgrad::inline v1 {

class StepList::Impl {
 public:
  detail::Tracer tracer;
};

namespace {

void compare_bits(const detail::Trace& trace, std::string& found) {
  const std::vector<detail::BufferRef> again = trace.run_again();
  for (std::size_t i = 0; i < trace.values.size(); ++i) {
    const detail::TracedValue& value = trace.values[i];
    if (value.bytes == 0 || std::memcmp(again[i].data(), value.buffer.data(), value.bytes) == 0) continue;
    found += fmt::format("value {} has other bits when the steps are run again\n", i);
  }
}

void compare_inferred(const detail::TracedStep& step, std::string& found) {
  std::vector<Spec> specs(step.outputs.size());
  std::vector<const Spec*> in;
  std::vector<Spec*> out;
  for (const detail::TracedOperand& input : step.inputs) in.push_back(&input.spec);
  for (Spec& spec : specs) out.push_back(&spec);
  step.primitive->infer(in, out);
  for (std::size_t k = 0; k < specs.size(); ++k) {
    const Spec& made = step.outputs[k].spec;
    const bool is_wanted = step.outputs[k].value != detail::TracedOperand::none;
    if (!is_wanted || (specs[k].shape == made.shape && specs[k].dtype == made.dtype)) continue;
    found += fmt::format("{}: infers {} {}, made {} {}\n", step.primitive->name(), to_string(specs[k].dtype),
                         to_string(specs[k].shape), to_string(made.dtype), to_string(made.shape));
  }
}

}  // namespace

StepList::StepList() : impl_(std::make_unique<Impl>()) {}
StepList::~StepList() = default;

void StepList::set_name(std::string_view name, const Tensor& tensor) { impl_->tracer.declare(name, tensor); }

std::string StepList::text() const { return impl_->tracer.trace().text(); }

std::string StepList::run_again() const {
  const detail::Trace& trace = impl_->tracer.trace();
  std::string found;
  compare_bits(trace, found);
  for (const detail::TracedStep& step : trace.steps) compare_inferred(step, found);
  for (std::size_t i = 0; i < trace.values.size(); ++i) {
    if (trace.values[i].is_declared || trace.values[i].is_made) continue;
    found += fmt::format("a value is neither an input nor made by a step: value {}\n", i);
  }
  return found;
}

}  // namespace xtgrad::v1
