#include "xtgrad/autograd/program/runner.h"

#include <cstring>
#include <new>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/ieee_arithmetic.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::uint32_t none = ~std::uint32_t{0};

/// So many references that no step that counts one of its own comes to the last one.
constexpr std::uint32_t many = std::uint32_t{1} << 30;

}  // namespace

ProgramRunner::ProgramRunner(std::shared_ptr<const ProgramSteps> program)
    : program_(std::move(program)), plan_(plan_arena(*program_)) {
  arena_ = BufferRef::allocate(plan_.bytes);
  make_arrays();
  make_calls();
}

ProgramRunner::~ProgramRunner() {
  for (Array& array : arrays_) array.buffer.forget();
}

void ProgramRunner::renew(const Fresh& fresh) {
  new (fresh.header) Buffer{.refs = RefCount(many), .bytes = fresh.bytes};
  // As in a buffer of the pool: kernels compute on the padding, too, where subnormal numbers would take long.
  if (fresh.bytes % Buffer::alignment == 0) return;
  const std::size_t whole = fresh.bytes / Buffer::alignment * Buffer::alignment;
  std::memset(static_cast<std::byte*>(fresh.header->data()) + whole, 0, Buffer::alignment);
}

std::uint32_t ProgramRunner::array_for(const ProgramOperand& operand) {
  std::vector<std::uint32_t>& known = arrays_of_[operand.value];
  for (const std::uint32_t index : known) {
    if (arrays_[index].shape == operand.spec.shape && arrays_[index].dtype == operand.spec.dtype)
      return index;
  }
  known.push_back(static_cast<std::uint32_t>(arrays_.size()));
  arrays_.emplace_back(operand.spec.shape, operand.spec.dtype, BufferRef());
  return known.back();
}

void ProgramRunner::make_arrays() {
  const ProgramSteps& program = *program_;
  arrays_of_.resize(program.values.size());
  for (const ProgramStep& step : program.steps) {
    for (const ProgramOperand& input : step.inputs) static_cast<void>(array_for(input));
    for (const ProgramOperand& output : step.outputs) {
      if (output.value != no_value) static_cast<void>(array_for(output));
    }
  }
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    const ProgramValue& value = program.values[i];
    if (value.source == ProgramValue::Source::constant)
      place(static_cast<ValueIndex>(i), value.elements.get());
    if (plan_.offsets[i] == ArenaPlan::nowhere) continue;
    auto* const header = reinterpret_cast<Buffer*>(static_cast<std::byte*>(arena_.data()) + plan_.offsets[i]);
    const Fresh fresh{header, value.bytes};
    renew(fresh);
    place(static_cast<ValueIndex>(i), header);
  }
  kept_of_.assign(program.values.size(), none);
  const auto keep = [&](const ProgramOperand& operand) {
    if (operand.value == no_value || kept_of_[operand.value] != none) return;
    if (program.values[operand.value].source != ProgramValue::Source::step) return;
    kept_of_[operand.value] = static_cast<std::uint32_t>(kept_.size());
    kept_.push_back({.value = operand.value, .tensor = Tensor()});
  };
  for (const ProgramOperand& result : program.results) keep(result);
  for (const ProgramState& state : program.state) keep(state.after);
}

void ProgramRunner::make_calls() {
  const ProgramSteps& program = *program_;
  const auto size = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  for (const ProgramStep& step : program.steps) {
    Call call{&*step, size(in_), size(step.inputs), size(out_), size(step.outputs), size(fresh_), 0};
    for (const ProgramOperand& input : step.inputs) in_.push_back(&arrays_[array_for(input)]);
    for (const ProgramOperand& output : step.outputs) {
      if (output.value == no_value) {
        out_.push_back(nullptr);
        continue;
      }
      Array& array = arrays_[array_for(output)];
      out_.push_back(&array);
      // What takes an operand's place over finds that one's beginning, and its elements, which are to be
      // read.
      if (plan_.offsets[output.value] == ArenaPlan::nowhere || plan_.takes_over[output.value] != 0) continue;
      fresh_.push_back({const_cast<Buffer*>(array.buffer.get()), program.values[output.value].bytes});
      ++call.n_fresh;
    }
    calls_.push_back(call);
  }
}

void ProgramRunner::place(ValueIndex value, const Buffer* buffer) {
  for (const std::uint32_t index : arrays_of_[value]) {
    BufferRef& handle = arrays_[index].buffer;
    handle.forget();
    handle = BufferRef::borrow(buffer);
  }
}

/// Finds memory for results, or the memory of those before.
void ProgramRunner::prepare_kept() {
  // One that somebody has given a name, or a gradient, is that somebody's for good.
  const auto is_free = [](const Tensor& tensor) {
    return tensor.defined() && may_change(node_of(tensor)) && node_of(tensor).leaf_state() == nullptr;
  };
  for (Kept& kept : kept_) {
    if (kept.over != nullptr) {
      place(kept.value, std::exchange(kept.over, nullptr));
      continue;
    }
    if (!is_free(kept.tensor)) {
      const Spec& spec = program_->values[kept.value].spec;
      kept.tensor = make_constant(Array::uninitialized(spec.shape, spec.dtype));
    }
    place(kept.value, array_of(kept.tensor).buffer.get());
  }
}

void ProgramRunner::begin() {
  prepare_kept();
  run_calls(0, calls_.size() - program_->final_steps);
}

void ProgramRunner::finish() { run_calls(calls_.size() - program_->final_steps, calls_.size()); }

void ProgramRunner::run_calls(std::size_t first, std::size_t end) {
  const IeeeArithmetic as_recorded;
  for (std::size_t c = first; c < end; ++c) {
    const Call& call = calls_[c];
    for (std::uint32_t k = 0; k < call.n_fresh; ++k) renew(fresh_[call.fresh + k]);
    if (watcher_ != nullptr) [[unlikely]] {
      run_watched(call, c);
      continue;
    }
    in_name_of(*call.primitive, [&] {
      call.primitive->eval({in_.data() + call.in, call.n_in}, {out_.data() + call.out, call.n_out});
    });
  }
}

void ProgramRunner::run_watched(const Call& call, std::size_t step) {
  const Inputs in{in_.data() + call.in, call.n_in};
  const Outputs out{out_.data() + call.out, call.n_out};
  watcher_->before_step(step);
  in_name_of(*call.primitive, [&] { call.primitive->eval(in, out); });
  watcher_->after_step(step, in, out);
}

Tensor& ProgramRunner::made(const ProgramOperand& operand) { return kept_[kept_of_[operand.value]].tensor; }

}  // namespace xtgrad::v1::detail
