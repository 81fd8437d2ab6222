#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

enum class ActivationKind : std::uint8_t {
  identity,
  step,
  relu,
  tanh,
  sigmoid,
  softplus,
  leaky_relu,
  elu,
  gelu,
  gelu_tanh,
  silu,
  log_sigmoid
};

/// "relu" and so on.
[[nodiscard]] std::string_view to_string(ActivationKind kind);

struct ActivationOptions {
  double slope = 0.01;  ///< of leaky_relu for x < 0
  double alpha = 1;     ///< of elu
};

/// The activation of x, elementwise, as in ops.h. `step` is 1 where x > 0 and 0 elsewhere, in x's dtype; it
/// has no gradient, so its result is a constant.
[[nodiscard]] Tensor activate(const Tensor& x, ActivationKind kind, const ActivationOptions& options = {});

/// An activation as a module, for a choice made at run time; the named ones below read better.
class Activation : public Module {
 public:
  explicit Activation(ActivationKind kind, const ActivationOptions& options = {})
      : kind_(kind), options_(options) {}
  Tensor forward(const Tensor& x) override { return activate(x, kind_, options_); }
  [[nodiscard]] ActivationKind kind() const { return kind_; }

 private:
  ActivationKind kind_;
  ActivationOptions options_;
};

class ReLU : public Activation {
 public:
  ReLU() : Activation(ActivationKind::relu) {}
};

class Tanh : public Activation {
 public:
  Tanh() : Activation(ActivationKind::tanh) {}
};

class Sigmoid : public Activation {
 public:
  Sigmoid() : Activation(ActivationKind::sigmoid) {}
};

class Softplus : public Activation {
 public:
  Softplus() : Activation(ActivationKind::softplus) {}
};

class GELU : public Activation {
 public:
  GELU() : Activation(ActivationKind::gelu) {}
};

/// Gelu's approximation by tanh.
class GELUTanh : public Activation {
 public:
  GELUTanh() : Activation(ActivationKind::gelu_tanh) {}
};

class SiLU : public Activation {
 public:
  SiLU() : Activation(ActivationKind::silu) {}
};

class LogSigmoid : public Activation {
 public:
  LogSigmoid() : Activation(ActivationKind::log_sigmoid) {}
};

/// x where x >= 0, else slope * x.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double slope = 0.01) : slope_(slope) {}
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] double slope() const { return slope_; }

 private:
  double slope_;
};

/// x where x > 0, else alpha * (e^x - 1).
class ELU : public Module {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] double alpha() const { return alpha_; }

 private:
  double alpha_;
};

}}}  // namespace xtgrad::v1::nn
