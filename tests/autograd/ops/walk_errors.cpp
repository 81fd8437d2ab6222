// The walk's checks of errors and of what stays alive.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::testing {
namespace {

/// The message of the error that a call throws, or what went wrong instead.
template <class E>
std::string message_of(const Sample& sample, std::span<const Tensor> inputs) {
  Op catcher(OpId::neg);
  catcher.throws<E>("", [&] { return sample.apply(inputs); });
  return catcher.bad_calls[0].attempt();
}

bool starts_with_name(const Op& op, std::string_view message) {
  const auto starts_with = [&](OpId id) {
    return message.rfind(fmt::format("{}: ", detail::function_name(id)), 0) == 0;
  };
  return starts_with(op.id) || std::any_of(op.parts.begin(), op.parts.end(), starts_with);
}

void expect(const Op& op, const Sample& sample, const std::string& message,
            std::initializer_list<std::string_view> parts, std::string_view call, Findings& findings) {
  if (!starts_with_name(op, message)) {
    findings.add(sample, fmt::format("{}: the message does not begin with the operation's name: \"{}\"", call,
                                     message));
  }
  for (const std::string_view part : parts) {
    if (message.find(part) != std::string::npos) continue;
    findings.add(sample, fmt::format("{}: the message does not say \"{}\": \"{}\"", call, part, message));
  }
}

std::vector<std::size_t> floating_inputs(const Sample& sample) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
    if (sample.inputs[i].role == Role::floating) found.push_back(i);
  }
  return found;
}

void check_empty_handles(const Sample& sample, const std::vector<Tensor>& inputs, Findings& findings) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<Tensor> with_hole = inputs;
    with_hole[i] = Tensor();
    const std::string message = message_of<ValueError>(sample, with_hole);
    if (message.find("the handle is empty") == std::string::npos) {
      findings.add(sample, fmt::format("input {} an empty handle: \"{}\"", i, message));
    }
  }
}

void check_refused_dtypes(const Op& op, const Sample& sample, const std::vector<Values>& values,
                          Findings& findings) {
  const auto all_as = [&](Dtype dtype) { return make_inputs(sample, values, dtype, false); };
  if (op.accepts == Accepts::floating) {
    for (const Dtype dtype : {int64, int32, uint8, boolean}) {
      expect(op, sample, message_of<DtypeError>(sample, all_as(dtype)),
             {"needs float32 or float64", to_string(dtype)}, fmt::format("{} inputs", to_string(dtype)),
             findings);
    }
  } else if (op.accepts == Accepts::numbers) {
    expect(op, sample, message_of<DtypeError>(sample, all_as(boolean)), {"needs numbers, got bool"},
           "bool inputs", findings);
    for (const Dtype dtype : {int32, uint8}) {
      expect(op, sample, message_of<DtypeError>(sample, all_as(dtype)),
             {"needs int64, float32 or float64", to_string(dtype), "convert with to(int64)"},
             fmt::format("{} inputs", to_string(dtype)), findings);
    }
  }
}

void check_mixed_dtypes(const Op& op, const Sample& sample, const std::vector<Values>& values,
                        Findings& findings) {
  const std::vector<std::size_t> floating = floating_inputs(sample);
  if (floating.size() < 2) return;
  const std::vector<Tensor> in_double = make_inputs(sample, values, float64, false);
  for (const std::size_t i : floating) {
    std::vector<Tensor> mixed = in_double;
    mixed[i] = mixed[i].to(float32);
    expect(op, sample, message_of<DtypeError>(sample, mixed), {"float32", "float64"},
           fmt::format("input {} float32, the others float64", i), findings);
  }
}

void check_shapes_that_do_not_broadcast(const Op& op, const Elementwise& operation, Findings& findings) {
  Sample sample{.attributes = operation.attributes, .inputs = operation.inputs, .apply = operation.apply};
  const Shape shapes[] = {{2, 3}, {4}};
  Random random = random_for(op, Check::errors);
  for (std::size_t i = 0; i + 1 < sample.inputs.size(); ++i) {
    for (std::size_t k = 0; k < sample.inputs.size(); ++k)
      sample.inputs[k].shape = k <= i ? shapes[0] : shapes[1];
    const std::vector<Values> values = draw_inputs(sample, float64, random);
    expect(op, sample, message_of<ShapeError>(sample, make_inputs(sample, values, float64, false)),
           {"[2, 3]", "[4]"}, fmt::format("[2, 3] up to input {}, [4] after it", i), findings);
  }
}

void check_bad_calls(const Op& op, Findings& findings) {
  for (const BadCall& bad : op.bad_calls) {
    expect(op, Sample{}, bad.attempt(), {bad.text}, "a bad call", findings);
  }
}

}  // namespace

void check_errors(const Op& op, Findings& findings) {
  Random random = random_for(op, Check::errors);
  for (const Sample& sample : op.samples) {
    if (!sample.derivatives) continue;  // the small ones are enough
    const std::vector<Values> values = draw_inputs(sample, float64, random);
    check_empty_handles(sample, make_inputs(sample, values, float64, false), findings);
    check_refused_dtypes(op, sample, values, findings);
    check_mixed_dtypes(op, sample, values, findings);
  }
  for (const Elementwise& operation : op.elementwise_operations) {
    check_shapes_that_do_not_broadcast(op, operation, findings);
  }
  check_bad_calls(op, findings);
}

void check_release(const Op& op, Findings& findings) {
  const auto use_all = [&] {
    Random random = random_for(op, Check::release);
    for (const Sample& sample : op.samples) {
      if (!sample.derivatives) continue;
      const std::vector<Values> values = draw_inputs(sample, float64, random);
      const std::vector<Tensor> inputs = make_inputs(sample, values, float64, true);
      const Tensor unused = sample.apply(inputs);
      if (!unused.requires_grad()) continue;
      const Values cotangent = fill(unused.shape(), [&](const Index&) { return random.next_normal(); });
      static_cast<void>(gradients_of(sample, inputs, cotangent));
      static_cast<void>(gradients_of(sample, inputs, cotangent, {.create_graph = true}));
    }
  };
  use_all();  // what is made once and kept, such as a table, is not a leak
  const std::int64_t before = detail::pool_stats().live_blocks;
  use_all();
  const std::int64_t after = detail::pool_stats().live_blocks;
  if (after != before) findings.add("", fmt::format("{} blocks stay alive", after - before));
}

}  // namespace xtgrad::testing
