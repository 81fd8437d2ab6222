#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/members.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct NamedParameter {
  std::string name;
  ParameterRef parameter;
};

struct NamedBuffer {
  std::string name;
  Tensor value;
};

/// A part of a model, or all of it: an ordinary value type that says what it computes (`forward`) and what it
/// consists of (`members`). Copying clones it; moving keeps its parameters' identity, so an optimizer made
/// before goes on working. Call it like a function.
///
///   struct Classifier : nn::Module {
///     nn::Linear hidden{4, 16};
///     nn::Linear head{16, 3};
///     void members(nn::Members& m) override { m("hidden", hidden); m("head", head); }
///     Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
///   };
///   Classifier model;
///   Tensor scores = model(randn({8, 4}));  // [8, 3]
class Module : public Stateful {
 public:
  /// What the module computes; called through `operator()`, never directly.
  virtual Tensor forward(const Tensor& x) = 0;
  /// Lists parameters, buffers, children, random streams and counters; none unless overridden.
  void members(Members& m) override;

  /// Runs `forward`. Throws GraphError if, while recording, it uses a parameter that wants a gradient and
  /// that the outermost module running does not list: no optimizer would train it.
  Tensor operator()(const Tensor& x);

  /// Every parameter once, in the order of `members`.
  [[nodiscard]] std::vector<ParameterRef> parameters() const;
  /// The same with their paths, such as "head.weight"; the first path of a tied one.
  [[nodiscard]] std::vector<NamedParameter> named_parameters() const;
  /// The buffers that are not empty.
  [[nodiscard]] std::vector<NamedBuffer> named_buffers() const;
  /// Number of learnable numbers, frozen ones included, tied ones once.
  [[nodiscard]] std::int64_t parameter_count() const;

  /// Converts all parameters and floating buffers to float32 or float64, and clears the gradients of those
  /// that change. Throws DtypeError for another dtype.
  void to(Dtype dtype);
  /// Switches the module and all its parts to training behaviour (or not); dropout, for instance, heeds it.
  void train(bool training = true);
  void eval() { train(false); }
  /// True at first.
  [[nodiscard]] bool is_training() const { return training_; }
  void zero_grad();

  /// A table of the parts: path, type, output shape, number of parameters of its own; then totals. Runs
  /// `forward` once without recording; buffers, random streams and counters are put back.
  [[nodiscard]] std::string summary(const Tensor& input);

  /// The class's name without namespaces, such as "Linear".
  [[nodiscard]] std::string type_name() const;

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;

  /// How a message names this module: "Linear", or "Linear (head)" while a model runs that lists it as
  /// "head".
  [[nodiscard]] std::string label() const;

 private:
  bool training_ = true;
};

/// Calls a function after the forward of every module that runs on this thread while in scope: for looking at
/// hidden layers. The innermost scope is called first.
///
///   std::vector<Tensor> hidden;
///   nn::OnForward look([&](nn::Module&, const Tensor&, const Tensor& output) { hidden.push_back(output); });
class OnForward {
 public:
  using Function = std::function<void(Module& module, const Tensor& input, const Tensor& output)>;

  explicit OnForward(Function function);
  ~OnForward();
  OnForward(const OnForward&) = delete;
  OnForward& operator=(const OnForward&) = delete;

 private:
  friend class Module;
  Function function_;
  OnForward* outer_;
};

}}}  // namespace xtgrad::v1::nn
