// What a program is made of: a list of steps, and the values between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/core/trace.h"

namespace xtgrad::inline v1::detail {

/// A number of a program's values.
using ValueIndex = std::uint32_t;
inline constexpr ValueIndex no_value = ~ValueIndex{0};

/// How a step sees a value: several shapes may share one.
struct ProgramOperand {
  ValueIndex value = no_value;  // of an output that nobody wants
  Spec spec;
};

inline bool same_spec(const Spec& a, const Spec& b) { return a.dtype == b.dtype && a.shape == b.shape; }

struct ProgramValue {
  enum class Source { input, state, constant, step };

  Source source = Source::step;
  std::string name;                 // of inputs and state
  std::size_t bytes = 0;            // of the elements
  Spec spec;                        // as it was made or declared
  BufferRef elements = {};          // of a constant
  ValueIndex cotangent = no_value;  // of this value in the last sweep that came by, if it is a value
};

/// Where in the recorded function a step comes from.
struct StepOrigin {
  std::string module = {};   // as a profile calls it, "MLP.layers.0"; empty outside of all
  std::string rule = {};     // of the operation whose rule computed it; empty for a step of no rule
  ValueIndex of = no_value;  // that operation's result, if it is a value still
};

struct ProgramStep {
  std::shared_ptr<const PrimitiveCopy> primitive;  // shared by copies of a program
  std::vector<ProgramOperand> inputs;
  std::vector<ProgramOperand> outputs;  // and auxiliaries
  StepOrigin origin = {};

  [[nodiscard]] const Primitive& operator*() const { return **primitive; }
};

/// What a program keeps from one run to the next, in a place outside of it.
struct ProgramState {
  std::string name;
  ProgramOperand before;  // none where nothing is read, or nothing was there
  ProgramOperand after;   // none, or that of `before`, where nothing changes
};

/// A list of steps that computes results, and the next state, of inputs and state. Steps stand in an order in
/// which each reads what is there; what a reshape makes is its input, seen in another shape.
struct ProgramSteps {
  std::vector<ProgramValue> values;
  std::vector<ProgramStep> steps;
  std::vector<ProgramOperand> inputs;
  std::vector<ProgramState> state;
  std::vector<ProgramOperand> results;
  std::size_t final_steps = 0;  // at the end, which cannot fail and whose results no step reads

  /// One line a step, inputs, state and constants first: "%3:float32[2, 3] = tanh(x)". What a
  /// fused step does comes after it, indented.
  [[nodiscard]] std::string text() const;
};

/// How many operations a step is: several where it is fused of them.
std::size_t steps_in(const ProgramStep& step);

/// How the text calls a value: "in0", "weight", "%7", and its shape behind that where it is seen in another
/// one than it was made in; "_" for none.
std::string name_of(const ProgramSteps& program, const ProgramOperand& operand);

/// "%3:float32[2, 3] = tanh(x)", without what a fused step does.
std::string step_text(const ProgramSteps& program, const ProgramStep& step);

/// How often each value is read, by steps, as a result and as a next state.
std::vector<std::size_t> uses_of(const ProgramSteps& program);

/// What the values of a trace are to a program.
struct TracedRoles {
  struct State {
    std::string name;
    TracedOperand before;
    TracedOperand after;
  };
  std::vector<TracedOperand> inputs;
  std::vector<State> state;
  std::vector<TracedOperand> results;
};

/// What a recorder knows of a trace beside it; values by their numbers there.
struct TracedOrigins {
  std::vector<StepOrigin> steps;
  std::unordered_map<std::size_t, std::size_t> cotangents;  // of values
};

/// The steps of a trace, without those that only give their input another shape.
ProgramSteps steps_of(Trace&& trace, const TracedRoles& roles, TracedOrigins&& origins);

}  // namespace xtgrad::v1::detail
