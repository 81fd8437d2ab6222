// A function of tensors as `capture` calls it: on inputs of its own, and with the state put back afterwards.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/nn/state_places.h"

namespace xtgrad::inline v1::detail {

/// Reads the tensors that its arguments' places hold, and returns where its results are.
using CalledFunction = Callable<std::vector<Tensor*>()>;
using StatePlaces = std::vector<std::unique_ptr<nn::detail::StatePlace>>;
using StateRoots = std::vector<nn::detail::StateRoot>;

/// The state as it was, which is put back where the scope ends.
class KeptState {
 public:
  explicit KeptState(const StatePlaces& places);
  ~KeptState();
  KeptState(const KeptState&) = delete;
  KeptState& operator=(const KeptState&) = delete;

  /// Throws GraphError in the name of `caller` if a place is not where it was: what it refers to may be gone,
  /// and is not put back.
  void check_where(const StateRoots& roots, std::string_view caller);

 private:
  const StatePlaces& places_;
  bool is_lost_ = false;
};

/// The arguments of a function, in which each call finds tensors of its own.
class Arguments {
 public:
  /// The elements are those that the places hold.
  explicit Arguments(std::vector<Tensor*> places);

  /// Puts leaves there, in memory of their own, which want a gradient where the values do.
  void renew() const;
  /// Leaves handles that hold nothing large where its scope ends.
  class Emptied {
   public:
    explicit Emptied(const Arguments& arguments) : arguments_(arguments) {}
    ~Emptied();
    Emptied(const Emptied&) = delete;
    Emptied& operator=(const Emptied&) = delete;

   private:
    const Arguments& arguments_;
  };
  [[nodiscard]] const std::vector<Tensor*>& tensors() const { return places_; }
  [[nodiscard]] const std::vector<Tensor>& values() const { return values_; }

 private:
  std::vector<Tensor*> places_;
  std::vector<Tensor> values_;
};

/// A handle on no elements, where a handle has to be.
Tensor nothing_there();

/// What a function makes of its arguments, and leaves in the places of the state.
struct Outcome {
  std::vector<Tensor> results;
  std::vector<Tensor> state;  // of each place; empty where nothing is
};

/// Calls f, and puts the state back. Leaves handles on nothing in arguments and results.
Outcome outcome_of(const CalledFunction& f, const Arguments& arguments, const StatePlaces& places,
                   const StateRoots& roots, std::string_view caller);

}  // namespace xtgrad::v1::detail
