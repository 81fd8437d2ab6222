#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/autograd/program/watched_run.h"
#include "xtgrad/autograd/program_profile.h"
#include "xtgrad/autograd/program_run.h"
#include "xtgrad/nn/recorded_function.h"
#include "xtgrad/nn/saved_function.h"

namespace xtgrad::inline v1::detail {

inline constexpr std::string_view replayer = "Captured";

/// A recorded function for one set of shapes, and what runs it on the places of the state.
class CapturedRun {
 public:
  using Given = std::span<const Tensor* const>;

  /// Records f; `roots` are those that `capture` was given.
  CapturedRun(const CalledFunction& f, const Arguments& arguments, const StateRoots& roots);
  /// The same program with memory of its own. Throws GraphError where the state is not as it was captured.
  CapturedRun(const CapturedRun& other, const StateRoots& roots);
  CapturedRun(const CapturedRun&) = delete;
  CapturedRun& operator=(const CapturedRun&) = delete;

  [[nodiscard]] const Program& program() const { return recorded_.program; }
  [[nodiscard]] const StatePlaces& places() const { return places_; }
  /// Whether inputs are of the number, shapes and dtypes that were recorded, and want no gradients but those
  /// that did then.
  [[nodiscard]] bool takes(Given inputs) const;

  /// Throws ValueError, ShapeError or GraphError: what is given, or the state, is not as it was captured.
  void check(Given inputs);
  /// Runs the program, and leaves the state as the function would. Given an outcome, compares with it before
  /// anything is written, and throws GraphError where bits differ. Throws what `check` does.
  void run(Given inputs, const Outcome* expected);
  /// A result of the last run, once.
  [[nodiscard]] Tensor result(std::size_t number) { return std::exchange(results_[number], Tensor()); }

  /// The program with its state as it is now, for a file.
  [[nodiscard]] SavedProgram saved() const { return saved_function(recorded_, places_); }

  /// What the next run reads of the state, as copies, by the names that the program has for it.
  [[nodiscard]] std::vector<NamedTensor> state() const;

  // Runs that leave everything as it is.
  [[nodiscard]] ProgramRun watch(Given inputs);
  [[nodiscard]] ProgramProfile profile(Given inputs, std::size_t runs);

 private:
  struct Write;
  struct Read {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
    Write* next = nullptr;  // that may be made over it
  };
  struct Write {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
    std::size_t number;    // of the place
    bool is_sole;          // nothing else becomes of the value
    Tensor next = {};      // unless it is
    bool is_over = false;  // in this run it is made over the one before
  };

  void check_input(std::size_t number, const Tensor& input) const;
  void bind_state(bool writes_over);
  [[nodiscard]] const Array& state_before(nn::detail::StatePlace& place, const Spec& want) const;
  [[nodiscard]] Tensor value_of(const ProgramOperand& operand, bool is_first);
  void take_results();
  [[nodiscard]] Tensor& next_of(Write& write) {
    return write.is_sole ? runner_.made(write.operand) : write.next;
  }
  void prepare_state();
  void write_state();
  void compare(const Outcome& expected);
  /// Where a list's inputs and state lie before a run.
  [[nodiscard]] ValueReader given_by(const ProgramSteps& steps, Given inputs) const;
  void list_ends();

  StatePlaces places_;
  RecordedFunction recorded_;
  ProgramRunner runner_;
  std::vector<Read> reads_;
  std::vector<Write> writes_;
  std::vector<nn::detail::StatePlace*> checked_, empty_;
  std::vector<Tensor> results_;
  std::vector<char> is_first_;          // of each result, whether none before is the same value
  std::vector<std::size_t> source_of_;  // of each value, the number of its input or place
  Given inputs_;                        // of the run at hand
  std::vector<const void*> distinct_;   // leaves of the last run, which were found to be so
};

}  // namespace xtgrad::v1::detail
