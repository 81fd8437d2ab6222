#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/compute.h"

namespace xtgrad::inline v1::detail {

/// What traced steps read or write: the elements of one buffer. They never change once they are there, for
/// the tracer holds every buffer, so that none is taken over.
struct TracedValue {
  std::string name;       ///< of a declared input; empty for what a step made
  BufferRef held;         ///< the buffer itself
  BufferRef buffer;       ///< as it was when it came up; a copy shows an `eval` that writes where it may not
  std::size_t bytes = 0;  ///< of its elements
  bool is_declared = false;
  bool is_made = false;  ///< by a step; a value that is neither came from outside, unannounced
};

/// How a step sees a value: several shapes may share one buffer.
struct TracedOperand {
  std::size_t value = none;
  Spec spec;

  static constexpr std::size_t none = ~std::size_t{0};  // an output that nobody wanted
};

struct TracedStep {
  PrimitiveCopy primitive;
  std::vector<TracedOperand> inputs;
  std::vector<TracedOperand> outputs;  // and auxiliaries
  std::string function = {};           // with a rule of its own, which ran the step; empty for none
};

/// What a thread computed: steps in order, and the values between them.
class Trace {
 public:
  std::vector<TracedValue> values;
  std::vector<TracedStep> steps;

  /// One line a step: "%3 = tanh(%2)  float32 [4]", and "  in f" after what a custom_vjp of that name ran.
  [[nodiscard]] std::string text() const;

  /// Runs the steps again, from copies of the inputs as they were, on memory that is filled with 0xFF before,
  /// and returns the buffers of all values. Takes one buffer for each value; nothing is taken over. Throws
  /// InternalError for a step that reads what neither a step before it made nor the trace holds.
  [[nodiscard]] std::vector<BufferRef> run_again() const;
};

/// Lists everything that its thread computes while in scope. It holds on to every buffer, so nothing is
/// overwritten meanwhile, and keeps its elements: copies of all, which is twice the memory of what is
/// computed, or the buffers themselves, and a copy where a step takes one over.
class Tracer final : public Watcher {
 public:
  enum class Keeps { copies, buffers };

  explicit Tracer(Keeps keeps = Keeps::copies);
  ~Tracer() override;
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  /// Says that a tensor is an input of what comes.
  void declare(std::string_view name, const Tensor& tensor);
  /// What has been listed so far.
  [[nodiscard]] const Trace& trace() const { return trace_; }
  /// The number of the value whose elements these are; TracedOperand::none if none has come up.
  [[nodiscard]] std::size_t find(const Array& array) const;
  /// The same, given away; the list begins anew.
  [[nodiscard]] Trace take() {
    index_.clear();
    return std::exchange(trace_, Trace());
  }

  void before_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_eval(const Primitive& primitive, Inputs in, Outputs out) override;

 private:
  std::size_t value_of(const Array& array);
  std::size_t add_value(const Array& array, bool copies);

  Keeps keeps_;
  Trace trace_;
  std::unordered_map<const Buffer*, std::size_t> index_;
  WatchScope scope_;
};

}  // namespace xtgrad::v1::detail
