#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/nn/loss_reference.h"
#include "tests/support/program.h"
#include "xtgrad/nn/nn.h"

namespace nn_test {

/// Multiples of 1/8 in a fixed disorder, which both dtypes hold.
inline xtgrad::Tensor ramp(const xtgrad::Shape& shape, xtgrad::Dtype dtype = xtgrad::float32) {
  Numbers values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<double>(i * 37 % 23 - 11) / 8);
  return shaped(values, shape, dtype);
}

/// Every parameter a ramp of its own shape, in the module's dtype.
inline void fill_with_ramps(xtgrad::nn::ModuleBase& module) {
  for (const auto& parameter : module.parameters())
    parameter->set_value(ramp(parameter->shape(), parameter->dtype()));
}

/// What every module keeps: a file brings its state back bit by bit into `other`, a copy is one of its own,
/// and derivatives of orders 1 and 2 in the input and every parameter are right.
template <class M>
void check_module(M& module, M& other, const xtgrad::Tensor& x) {
  const xtgrad::testing::TemporaryFolder folder;
  const std::string file = folder.path() / "module.safetensors";
  xtgrad::nn::save(file, module.state_dict());
  other.load_state_dict(xtgrad::nn::load(file));
  CHECK(elements(other(x)) == elements(module(x)));
  M copy(module);
  CHECK(elements(copy(x)) == elements(module(x)));
  if (!module.parameters().empty()) CHECK(copy.parameters()[0] != module.parameters()[0]);
  const auto report = xtgrad::nn::check_grads(module, x);
  CHECK_MESSAGE(report.ok(), report.message);
}

}  // namespace nn_test
