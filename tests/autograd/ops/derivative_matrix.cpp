#include "tests/autograd/ops/derivative_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "tests/autograd/ops/batched_steps.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/attribute_lists.h"

namespace xtgrad::inline v1::testing {
namespace {

/// "right to order 3": what the shipped check says that it has compared.
int order_said_in(const std::string& message) {
  const std::string words = "right to order ";
  const std::size_t at = message.find(words);
  return at == std::string::npos ? 0 : std::atoi(message.c_str() + at + words.size());
}

std::string key_of(const detail::TracedStep& step) {
  std::string key(step.primitive->name());
  for (const detail::NamedAttribute& attribute : detail::attributes_of(*step.primitive))
    key += " " + attribute.name + "=" + detail::exact_text(attribute.value);
  for (const detail::TracedOperand& input : step.inputs)
    key += fmt::format(" {}{}", to_string(input.spec.dtype), to_string(input.spec.shape));
  return key;
}

class MatrixRun {
 public:
  explicit MatrixRun(const Op& op) : op_(op) {}

  void check(const Sample& sample, Shapes shapes) {
    sample_ = &sample;
    shapes_ = shapes;
    Random random = random_for(op_, Check::derivatives);
    std::vector<std::vector<Values>> examples;
    for (std::size_t e = 0; e < batch_examples; ++e) examples.push_back(draw_inputs(sample, float32, random));
    if (op_.kind == Kind::constant) return check_values_in_batches(examples);
    check_numerically(examples[0]);
    check_orders(examples, random);
  }

  MatrixRow take() { return std::move(row_); }
  MatrixRow& row() { return row_; }

 private:
  void note(int order, Way way, std::size_t count = 1) {
    row_.cells[static_cast<std::size_t>(shapes_)][static_cast<std::size_t>(order - 1)]
              [static_cast<std::size_t>(way)] += count;
  }
  void found(int order, const std::string& what) {
    if (what.empty()) return;
    row_.findings.push_back(fmt::format("{}({}), {}, order {}: {}", detail::to_string(op_.id),
                                        sample_->attributes, to_string(shapes_), order, what));
  }

  void check_numerically(std::span<const Values> values) {
    const Operation operation = operation_of(op_, *sample_, values);
    const CheckGradsReport report =
        check_grads(operation.apply, operation.inputs, {.order = matrix_orders, .seed = operation.seed});
    if (!report.ok()) found(report.order, report.message);
    for (int order = 1; order <= order_said_in(report.message); ++order) note(order, Way::reverse);
  }

  void check_orders(const std::vector<std::vector<Values>>& examples, Random& random) {
    std::vector<Derivative> in_double, in_float;
    for (const std::vector<Values>& values : examples) {
      in_double.emplace_back(*sample_, values, float64);
      in_float.emplace_back(*sample_, values, float32);
    }
    // The cotangents are of sizes up to 1.
    Float32Scale limit{.ulps = op_.accuracy.float32_gradient_ulps, .floor = op_.accuracy.gradient_floor};
    for (int order = 1; order <= matrix_orders; ++order) {
      found(order, compare_forward_to_reverse(in_double[0], random));
      note(order, Way::forward);
      for (const bool forward : {false, true}) {
        found(order, compare_float32_to_float64(in_float[0], in_double[0], forward, limit, random));
        note(order, forward ? Way::forward_float32 : Way::reverse_float32);
      }
      if (sample_->decided == Decided::values) {
        check_batches(in_double, order, random);
        check_batches(in_float, order, random);
      }
      if (order == matrix_orders) break;
      // A rule of a rule has about twice its steps; terms that cancel in it are of the size of what it is of.
      limit.ulps *= 2;
      limit.floor = std::max(limit.floor, limit.largest);
      for (std::size_t e = 0; e < examples.size(); ++e) {
        const std::vector<Values> u = draw_probes(in_double[e].output_shapes(), random);
        in_double[e] = in_double[e].next(u);
        in_float[e] = in_float[e].next(u);
      }
    }
  }

  void check_batches(const std::vector<Derivative>& examples, int order, Random& random) {
    ExampleTraces traces;
    for (std::size_t e = 0; e < batch_examples; ++e) {
      const std::vector<Values> w = draw_probes(examples[e].output_shapes(), random);
      const std::vector<Values> v = draw_probes(shapes_of(examples[e].inputs()), random);
      detail::Tracer tracer;
      static_cast<void>(examples[e].reverse(w));
      static_cast<void>(examples[e].forward(v));
      traces[e] = tracer.take();
    }
    check_traces(traces, order);
  }

  void check_values_in_batches(const std::vector<std::vector<Values>>& examples) {
    if (sample_->decided != Decided::values) return;
    for (const Dtype dtype : {float32, float64}) {
      ExampleTraces traces;
      for (std::size_t e = 0; e < batch_examples; ++e) {
        const std::vector<Tensor> inputs = make_inputs(*sample_, examples[e], dtype, false);
        detail::Tracer tracer;
        static_cast<void>(sample_->apply(inputs));
        traces[e] = tracer.take();
      }
      check_traces(traces, 1);
    }
  }

  void check_traces(const ExampleTraces& traces, int order) {
    if (traces[1].steps.size() != traces[0].steps.size() ||
        traces[2].steps.size() != traces[0].steps.size()) {
      return found(order, "vmap: the examples make other steps");
    }
    for (std::size_t s = 0; s < traces[0].steps.size(); ++s) {
      // Once for each primitive and operands of each shape and dtype.
      if (!is_batchable(traces[0].steps[s]) || !known_.insert(key_of(traces[0].steps[s])).second) continue;
      const std::string what = compare_batch_to_single(traces, s);
      if (!what.empty()) found(order, "vmap: " + what);
    }
    if (!traces[0].steps.empty()) note(order, Way::vmap);
  }

  const Op& op_;
  const Sample* sample_ = nullptr;
  Shapes shapes_ = Shapes::plain;
  MatrixRow row_;
  std::set<std::string> known_;  // steps that were compared
};

bool is_extreme(const Tensor& x) {
  if (!is_floating(x.dtype())) return false;
  const Values values = to_values(x);
  return std::any_of(values.data.begin(), values.data.end(), [](Real v) { return !std::isfinite(v); });
}

/// `apply`, counted where `counts` says so of its inputs.
Apply counted(const Apply& apply, std::size_t& count, bool (*counts)(const Tensor&)) {
  return Apply([=, &count](std::span<const Tensor> in) {
    if (std::any_of(in.begin(), in.end(), counts)) ++count;
    return apply(in);
  });
}

void count_walk(const Op& op, Check check, std::size_t& count, bool (*counts)(const Tensor&),
                std::vector<std::string>& findings) {
  Op watched = op;
  for (Sample& sample : watched.samples) sample.apply = counted(sample.apply, count, counts);
  for (Elementwise& one : watched.elementwise_operations) one.apply = counted(one.apply, count, counts);
  for (ExactCall& call : watched.exacts) call.apply = counted(call.apply, count, counts);
  for (std::string& finding : findings_of(watched, check)) findings.push_back(std::move(finding));
}

}  // namespace

std::string_view to_string(Way way) {
  switch (way) {
    case Way::reverse:
      return "reverse";
    case Way::forward:
      return "forward over reverse";
    case Way::reverse_float32:
      return "reverse, float32";
    case Way::forward_float32:
      return "forward over reverse, float32";
    case Way::vmap:
      return "vmap";
  }
  return "unknown";
}

MatrixRow matrix_row(const Op& op) {
  MatrixRun run(op);
  std::array<bool, all_shapes.size()> has{};
  for (const Sample& sample : op.samples) {
    if (!sample.derivatives) continue;
    const Shapes shapes = shapes_of(op, sample);
    has[static_cast<std::size_t>(shapes)] = true;
    run.check(sample, shapes);
  }
  for (const Shapes shapes : all_shapes) {
    if (has[static_cast<std::size_t>(shapes)]) continue;
    std::string& refusal = run.row().refusals[static_cast<std::size_t>(shapes)];
    for (const Sample& sample : op.samples) {
      if (!sample.derivatives) continue;
      const std::optional<Sample> variant = variant_of(op, sample, shapes, refusal);
      if (!variant) continue;
      run.check(*variant, shapes);
      break;
    }
  }
  MatrixRow row = run.take();
  count_walk(op, Check::nasty, row.nasty, is_extreme, row.findings);
  count_walk(op, Check::exact, row.nasty, is_extreme, row.findings);
  count_walk(
      op, Check::exact, row.kinks, [](const Tensor&) { return true; }, row.findings);
  return row;
}

}  // namespace xtgrad::v1::testing
