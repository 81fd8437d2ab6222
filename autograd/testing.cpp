#include "xtgrad/autograd/testing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/step_list.h"

namespace xtgrad::inline v1::testing {

std::string Report::text() const { return fmt::format("{}", fmt::join(failures, "\n")); }

namespace {

class Checks {
 public:
  explicit Checks(const Operation& operation) : op_(operation) {}

  Report run() {
    section("recorded", [this] { recorded(); });
    section("values", [this] { values(); });
    if (op_.order > 0) {
      section("derivatives", [this] { derivatives(); });
      section("evaluators", [this] { evaluators(); });
    }
    section("again", [this] { again(float64); });
    if (op_.takes_float32) section("again, float32", [this] { again(float32); });
    section("errors", [this] { errors(); });
    section("release", [this] { release(); });
    return std::move(report_);
  }

 private:
  template <class F>
  void section(std::string_view name, const F& check) {
    section_ = name;
    try {
      check();
    } catch (const std::exception& error) {
      fail(fmt::format("threw \"{}\"", error.what()));
    }
  }
  void fail(std::string_view what) {
    report_.failures.push_back(fmt::format("{}, {}: {}", op_.name, section_, what));
  }

  /// The inputs as leaves of their own; floating ones in `dtype`.
  [[nodiscard]] std::vector<Tensor> leaves(Dtype dtype) const {
    std::vector<Tensor> result;
    for (const Tensor& input : op_.inputs) {
      Tensor leaf = input.detach();
      if (is_floating(leaf.dtype())) {
        leaf = leaf.to(dtype).detach();
        leaf.set_requires_grad(op_.order > 0);
      }
      result.push_back(std::move(leaf));
    }
    return result;
  }
  static std::vector<Tensor> wanted(std::span<const Tensor> inputs) {
    std::vector<Tensor> result;
    for (const Tensor& input : inputs) {
      if (input.requires_grad()) result.push_back(input);
    }
    return result;
  }
  static std::vector<Tensor> recorded_of(std::span<const Tensor> outputs) { return wanted(outputs); }
  /// Random cotangents: ones would let errors cancel.
  static std::vector<Tensor> cotangents_of(std::span<const Tensor> outputs) {
    Random random(1);
    std::vector<Tensor> result;
    for (const Tensor& y : outputs) result.push_back(randn(y.shape(), random, {.dtype = y.dtype()}));
    return result;
  }
  static std::vector<Tensor> gradients(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                                       bool create_graph) {
    return grad(outputs, inputs,
                {.cotangents = cotangents_of(outputs), .create_graph = create_graph, .allow_unused = true});
  }

  void recorded() {
    const std::vector<Tensor> inputs = leaves(float64);
    const std::vector<Tensor> outputs = op_.apply(inputs);
    const std::vector<Tensor> made = recorded_of(outputs);
    if (op_.order == 0) {
      if (!made.empty()) fail("is recorded, but has no derivative");
      return;
    }
    if (made.empty()) return fail("is not recorded");
    if (graph_of(made).count(op_.name) == 0) fail("made no node of its name");
    const NoGrad no_grad;
    if (!recorded_of(op_.apply(inputs)).empty()) fail("is recorded under NoGrad");
  }

  /// NaN agrees with NaN alone, and an infinity with itself: it would allow any error.
  static bool agree(double got, double want, double allowed) {
    if (std::isnan(want)) return std::isnan(got);
    return got == want || (std::isfinite(want) && std::abs(got - want) <= allowed);
  }

  void values() {
    if (!op_.reference) return;
    const std::vector<Tensor> inputs = leaves(float64);
    const std::vector<Tensor> outputs = op_.apply(inputs);
    const std::vector<std::vector<double>> want = op_.reference(inputs);
    if (want.size() != outputs.size()) {
      return fail(fmt::format("{} outputs, the reference has {}", outputs.size(), want.size()));
    }
    for (std::size_t k = 0; k < want.size(); ++k) compare(k, outputs[k].to(float64), want[k]);
  }
  void compare(std::size_t k, const Tensor& output, const std::vector<double>& want) {
    const std::span<const double> got = output.data<double>();
    if (got.size() != want.size()) {
      return fail(fmt::format("output {}: {} elements, wanted {}", k, got.size(), want.size()));
    }
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (agree(got[i], want[i], op_.ulps * std::numeric_limits<double>::epsilon() * std::abs(want[i])))
        continue;
      return fail(fmt::format("output {}: element {} is {:.17g}, wanted {:.17g}", k, i, got[i], want[i]));
    }
  }

  void derivatives() {
    const CheckGradsReport report =
        check_grads(op_.apply, op_.inputs, {.order = op_.order, .name = op_.name});
    if (!report.ok()) fail(report.message);
  }

  void evaluators() {
    const std::vector<Tensor> inputs = leaves(float64);
    const std::vector<Tensor> leaves_of_it = wanted(inputs);
    const std::vector<Tensor> plain = gradients(recorded_of(op_.apply(inputs)), leaves_of_it, false);
    const std::vector<Tensor> recorded = gradients(recorded_of(op_.apply(inputs)), leaves_of_it, true);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      compare_gradients(fmt::format("gradient {}, recorded", i), recorded[i], plain[i]);
      const std::vector<Tensor> alone =
          gradients(recorded_of(op_.apply(inputs)), std::span(&leaves_of_it[i], 1), false);
      compare_gradients(fmt::format("gradient {}, alone", i), alone[0], plain[i]);
    }
  }
  void compare_gradients(const std::string& what, const Tensor& got, const Tensor& want) {
    if (got.defined() != want.defined()) return fail(what + ": exists for one and not for the other");
    if (!got.defined()) return;
    double largest = 0;
    for (const double value : want.data<double>()) {
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    for (std::size_t i = 0; i < want.data<double>().size(); ++i) {
      if (agree(got.data<double>()[i], want.data<double>()[i], 1e-14 * largest)) continue;
      return fail(fmt::format("{}: element {} is {:.17g}, wanted {:.17g}", what, i, got.data<double>()[i],
                              want.data<double>()[i]));
    }
  }

  void again(Dtype dtype) {
    const std::vector<Tensor> inputs = leaves(dtype);
    const std::vector<Tensor> cotangents = cotangents_of(recorded_of(op_.apply(inputs)));
    StepList steps;
    for (std::size_t i = 0; i < inputs.size(); ++i) steps.set_name(fmt::format("in{}", i), inputs[i]);
    for (std::size_t k = 0; k < cotangents.size(); ++k) steps.set_name(fmt::format("g{}", k), cotangents[k]);
    const std::vector<Tensor> outputs = recorded_of(op_.apply(inputs));
    if (!outputs.empty()) {
      static_cast<void>(grad(outputs, wanted(inputs), {.cotangents = cotangents, .allow_unused = true}));
    }
    const std::string differences = steps.run_again();
    if (!differences.empty()) fail(differences + steps.text());
  }

  void errors() {
    std::vector<Tensor> inputs = leaves(float64);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor right = inputs[i];
      inputs[i] = Tensor();
      refuses<ValueError>(inputs, fmt::format("input {} an empty handle", i));
      if (is_floating(right.dtype())) {
        inputs[i] = right.to(int64);
        refuses<DtypeError>(inputs, fmt::format("input {} of int64", i));
      }
      inputs[i] = right;
    }
    if (inputs.size() < 2 || !is_floating(inputs[0].dtype()) || !is_floating(inputs[1].dtype())) return;
    inputs[0] = inputs[0].to(float32);
    refuses<DtypeError>(inputs, "input 0 of float32, the others of float64");
  }
  template <class E>
  void refuses(std::span<const Tensor> inputs, const std::string& call) {
    try {
      static_cast<void>(op_.apply(inputs));
      fail(call + ": no error");
    } catch (const E& error) {
      if (std::string_view(error.what()).find(op_.name + ": ") != 0) {
        fail(fmt::format("{}: the message does not begin with the name: \"{}\"", call, error.what()));
      }
    }
  }

  void release() {
    const auto use = [this] {
      const std::vector<Tensor> inputs = leaves(float64);
      const std::vector<Tensor> outputs = recorded_of(op_.apply(inputs));
      if (!outputs.empty()) static_cast<void>(gradients(outputs, wanted(inputs), true));
    };
    use();  // what is made once and kept, such as a table, is not a leak
    const std::int64_t before = detail::pool_stats().live_blocks;
    use();
    const std::int64_t after = detail::pool_stats().live_blocks;
    if (after != before) fail(fmt::format("{} blocks stay alive", after - before));
  }

  const Operation& op_;
  std::string_view section_;
  Report report_;
};

}  // namespace

Report check(const Operation& operation) { return Checks(operation).run(); }

}  // namespace xtgrad::v1::testing
