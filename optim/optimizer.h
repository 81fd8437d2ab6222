#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/optim/state.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

namespace detail {
struct PendingStep;
}

/// Changes parameters by their gradients. Holds the parameters themselves, not the model, which may be moved
/// or assigned to meanwhile; several optimizers may hold one parameter. Parameters come in groups, each with
/// options of its own, of which the learning rate can be changed at any time.
///
///   optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
///   for (int epoch = 0; epoch < 20; ++epoch) {
///     Tensor loss = nn::mse_loss(model(x), y);
///     sgd.zero_grad();
///     loss.backward();
///     sgd.step();
///   }
///
/// Its state (`state_dict`, `load_state_dict`, see nn/members.h): "groups.0.lr", a float64 [], for each
/// group, and its other options, such as "groups.0.beta1", which must be those that the state was made under;
/// and for each parameter "head.weight.step", an int64 [], and its moments, such as "head.weight.momentum". A
/// parameter is called by the name that it had when it was added, with "#" and its number among all
/// parameters where that is empty or taken. Training continued from a saved state has the bits of training
/// that was never interrupted.
class Optimizer : public nn::Stateful {
 public:
  /// Gives every parameter that has a gradient and is not frozen its next value; to have no gradient is not
  /// to have a zero one, with which momentum and weight decay would go on. Nothing is recorded.
  /// All parameters change or, whatever is thrown on the way, such as std::bad_alloc, none.
  ///
  /// Throws GraphError if the `backward` that gave a parameter its gradient reached
  /// another parameter which nobody looks after: no optimizer holds it, nobody asked a model that lists it
  /// for its parameters or state, nobody has read its gradient, and no model that ran lists both. Some
  /// module's `members` has forgotten it.
  void step();
  /// Clears the gradients of all parameters.
  void zero_grad();

  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  /// Throws ValueError for a group that is not there, as all functions that take one.
  [[nodiscard]] double lr(std::size_t group = 0) const;
  /// Sets the learning rate of all groups; throws ValueError unless it is finite and not negative.
  void set_lr(double lr);
  void set_lr(double lr, std::size_t group);
  /// Sets a rate for each group, all of them or none; throws ValueError, too, where their number is another.
  void set_rates(std::span<const double> rates);
  /// The parameters of all groups, in the order in which they were added.
  [[nodiscard]] std::vector<nn::ParameterRef> parameters() const;
  [[nodiscard]] std::vector<nn::ParameterRef> parameters(std::size_t group) const;

  void members(nn::Members& m) override;
  void check_loaded() const override;

 protected:
  /// `name` is for messages and outlives the optimizer.
  explicit Optimizer(std::string_view name) : name_(name) {}

  /// For subclasses, which add the group's options to their own. Throws ValueError, and adds nothing, for an
  /// empty list, an empty ref, or a parameter that is there already.
  void add_parameters(std::vector<nn::ParameterRef> parameters, double lr);
  void check_group(std::size_t group) const;
  /// "groups.0.lr", "groups.0.beta1" and so on: the part of `members` that does not depend on what is
  /// remembered.
  void list_rates(nn::Members& m);
  /// Lists the group's options, but for the learning rate, as settings called `prefix` and the option's name.
  virtual void list_options(std::size_t group, const std::string& prefix, nn::Members& m);

  /// What the moments of this group's parameters are called; their number is that of the names.
  [[nodiscard]] virtual std::span<const std::string_view> moment_names(std::size_t group) const = 0;
  /// How many of the moments, the last ones, are one number for all elements, a float64 [] each; the others
  /// have the parameter's shape and dtype.
  [[nodiscard]] virtual std::size_t scalar_moments(std::size_t group) const;
  /// That moment of each parameter, in the order of `parameters()`; empty where no step was made.
  [[nodiscard]] std::vector<Tensor> moments(std::size_t number) const;
  /// The value after one step; moves `state`, whose moments are all there, on. Called without recording.
  [[nodiscard]] virtual Tensor advance(std::size_t group, const Update& update, State& state) const = 0;
  /// Does all of a parameter's step that can fail, and changes nothing. By `advance`, unless overridden.
  virtual void prepare_step(std::size_t group, const Update& update, const State& state,
                            detail::PendingStep& step) const;

 private:
  struct Entry {
    nn::ParameterRef parameter;
    std::string label;
    State state = {};
  };
  struct Group {
    Tensor lr;  // float64 []: a tensor, so that `members` can list it
    std::vector<Entry> entries;
  };

  void prepare(Entry& entry, std::size_t group) const;

  std::string_view name_;
  std::vector<Group> groups_;
};

}}}  // namespace xtgrad::v1::optim
