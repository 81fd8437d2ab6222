#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/optim/optimizer_with.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// What the optimizers of this library are that have one formula of a parameter, its gradient, its moments
/// and hyperparameters: `SGD` is an `OptimizerOf<SGDOptions>`. Each one's header has the formula, and a
/// function `step`, which is its pure form.
template <class Options>
class OptimizerOf : public OptimizerWith<Options> {
 public:
  /// Throws ValueError for an option that is out of range or missing, and for parameters as `add_group` does.
  // Each optimizer declares the same: of one that were inherited, a compiler that is given a misspelt option
  // would list twice as much.
  explicit OptimizerOf(std::vector<nn::ParameterRef> parameters, const Options& options = {});
  // The destructor is the library's alone: defined here, it and the tables of virtual functions would be
  // compiled again in each program.
  OptimizerOf(const OptimizerOf&) = default;
  OptimizerOf(OptimizerOf&&) noexcept = default;
  OptimizerOf& operator=(const OptimizerOf&) = default;
  OptimizerOf& operator=(OptimizerOf&&) noexcept = default;
  ~OptimizerOf() override;

 protected:
  void validate(const Options& options) const override;
  void list_options(std::size_t group, const std::string& prefix, nn::Members& m) override;
  [[nodiscard]] std::span<const std::string_view> moment_names(std::size_t group) const override;
  [[nodiscard]] std::size_t scalar_moments(std::size_t group) const override;
  [[nodiscard]] Tensor advance(std::size_t group, const Update& update, State& state) const override;
  void prepare_step(std::size_t group, const Update& update, const State& state,
                    detail::PendingStep& step) const override;
};

}}}  // namespace xtgrad::v1::optim
