#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer_with.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

enum class LineSearch {
  none,          ///< the step length is lr
  strong_wolfe,  ///< tries lengths, from lr on, until loss and slope have decreased enough
};

struct LBFGSOptions {
  Hyper lr = 1;                ///< in the first iteration times min(1, 1 / sum |g|)
  std::int64_t max_iter = 20;  ///< iterations in a step, at least 1
  /// Calls of the loss in a step, at least 1, after which no iteration begins (a line search ends first, and
  /// has at most 26); absent: 5/4 max_iter, rounded down.
  std::optional<std::int64_t> max_eval = std::nullopt;
  double tolerance_grad = 1e-7;  ///< of the gradient's largest element
  /// Of the parameters' largest change, of the loss's, and of what its slope promises for a length of 1.
  double tolerance_change = 1e-9;
  std::int64_t history_size = 100;  ///< pairs that are kept, at least 0, which is gradient descent
  LineSearch line_search = LineSearch::none;
};

/// Why a step of L-BFGS ended.
enum class LBFGSEnd {
  small_gradient,  ///< within tolerance_grad
  small_change,    ///< of parameters or loss, within tolerance_change
  no_decrease,     ///< the line search found no lower loss; the history is dropped
  max_iter,
  max_eval,
};

/// What a step of L-BFGS was made of.
struct LBFGSStep {
  double loss;                       ///< before the step
  double grad_norm;                  ///< before the step
  std::int64_t evaluations = 0;      ///< calls of the loss
  std::vector<double> lengths = {};  ///< by which each iteration moved along its direction
  LBFGSEnd end = LBFGSEnd::small_gradient;

  [[nodiscard]] std::int64_t iterations() const { return static_cast<std::int64_t>(lengths.size()); }
  [[nodiscard]] bool converged() const {
    return end == LBFGSEnd::small_gradient || end == LBFGSEnd::small_change;
  }
};

/// How the gradient g changed where L-BFGS moved.
struct LBFGSPair {
  Tensor move;       ///< s, [n], between what the parameters held, in their dtypes
  Tensor change;     ///< y, of g, [n]
  Tensor curvature;  ///< <s, y>, []
};

/// What L-BFGS remembers of the iterations before, as vectors of all parameters' elements, [n], in float64 if
/// a parameter is, else float32. Before the first iteration it is empty.
struct LBFGSState {
  Tensor gradient;               ///< where the last iteration began
  Tensor move;                   ///< of the last iteration
  std::vector<LBFGSPair> pairs;  ///< of those before it, the oldest first
};

/// The result of the pure form of an iteration.
struct LBFGSStepped {
  std::vector<Tensor> parameters;
  LBFGSState state;
};

/// The quasi-Newton method L-BFGS (Liu and Nocedal, "On the limited memory BFGS method for large scale
/// optimization", 1989), for losses that do not change from one evaluation to the next, such as that of a
/// whole data set:
///
///   p -= t H g
///
/// H approximates the inverse Hessian, by two loops over pairs of moves s and changes y of the gradient g,
/// on <s, y> / <y, y> times the identity; a pair with <s, y> <= 1e-10 is left out. t is lr, or what the line
/// search finds. A step makes up to max_iter iterations, and evaluates the loss itself:
///
///   optim::LBFGS lbfgs(model.parameters(), {.line_search = optim::LineSearch::strong_wolfe});
///   const auto loss = [&] { return nn::mse_loss(model(x), y); };
///   for (int i = 0; i < 20; ++i) {
///     if (lbfgs.step(loss).converged()) break;
///   }
///
/// The state has, beside "groups.0.lr": "gradient" and "move", the pairs' rows "s" and "y", [pairs, n], and
/// "learns", bool, which parameters they are of. Before the first step there are none of these: it is loaded
/// into an LBFGS that has made no step, or whose history was dropped.
///
/// A step is not recorded, as those of the other optimizers are not. What is differentiable is the pure form
/// of an iteration, `step` below. A line search is not: the length that it finds jumps where it branches.
class LBFGS : public OptimizerWith<LBFGSOptions> {
 public:
  /// Throws ValueError for an option that is out of range, and for parameters as `add_group` of the others.
  explicit LBFGS(std::vector<nn::ParameterRef> parameters, const LBFGSOptions& options = {});

  /// Throws ValueError: all parameters take the same step, so there is one group.
  void add_group(const std::vector<nn::ParameterRef>& parameters, const LBFGSOptions& options);

  /// Iterates until a limit or a tolerance is reached. `loss` computes a loss of one element from the
  /// parameters, and is called at each point that is tried; no gradient must be cleared or computed for it,
  /// and `.grad()` stays as it is. A frozen parameter stays as it is; where others learn than in the step
  /// before, the history is dropped. In a line search a loss that is not finite counts as too long a move.
  ///
  /// Throws ValueError for a loss or gradient that is not finite, or a direction that is NaN, ShapeError for
  /// a loss of several elements or a loaded state that does not fit, GraphError for a loss that nothing was
  /// recorded of, or that reaches a parameter that no optimizer holds and no model's `members` lists, and
  /// what `loss` throws. Parameters and state are then those before the iteration under way.
  LBFGSStep step(const Callable<Tensor()>& loss);
  /// Makes the next step begin anew, from the gradient alone.
  void drop_history();

  void members(nn::Members& m) override;
  void check_loaded() const override;

 protected:
  void validate(const LBFGSOptions& options) const override;
  void list_options(std::size_t group, const std::string& prefix, nn::Members& m) override;
  [[nodiscard]] std::span<const std::string_view> moment_names(std::size_t group) const override;
  /// Throws ValueError: `step` takes the loss.
  [[nodiscard]] Tensor advance(std::size_t group, const Update& update, State& state) const override;

 private:
  void fit_state(const Tensor& x);

  LBFGSState state_;
  // The pairs' rows, while the state's own list is empty: as files have them.
  Tensor moves_;
  Tensor changes_;
  Tensor learns_;  // bool [parameters]; empty before the first step
};

/// The pure form of one iteration: the parameters and the state after it, recorded and differentiable in all
/// of its arguments, to any order, along the branches that it takes: which pairs were kept, and in the first
/// iteration whether sum |g| is above 1. The state is empty before the first iteration. `length`, if it is
/// set, takes the place of lr and its factor: with those of an `LBFGSStep` in turn the iterations are that
/// step's, to the bit, and their derivative is the one at constant lengths, whatever found these. With a line
/// search and no `length`, ValueError. An empty gradient leaves its parameter as it is; the same must be
/// empty each time. Throws ValueError, ShapeError or DtypeError, too, where counts, options, shapes or dtypes
/// are wrong.
///
///   optim::LBFGSState state;
///   for (int i = 0; i < 10; ++i) {
///     const std::vector<Tensor> g = grad({loss(w)}, {w}, {.create_graph = true});
///     auto [parameters, next] = optim::step({w}, g, state, optim::LBFGSOptions{.lr = lr});
///     w = parameters[0];
///     state = next;
///   }
[[nodiscard]] LBFGSStepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                                const LBFGSState& state, const LBFGSOptions& options,
                                const Hyper& length = {});

}}}  // namespace xtgrad::v1::optim
