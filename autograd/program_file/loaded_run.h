#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/autograd/program_file/saved_program.h"

namespace xtgrad::inline v1::detail {

/// Bytes that a program's values need while it runs, constants left out. Throws IoError where they cannot be
/// counted.
[[nodiscard]] std::uint64_t bytes_to_run(const ProgramSteps& program);

/// A program with its state, call after call.
class LoadedRun {
 public:
  explicit LoadedRun(SavedProgram saved);

  std::vector<Tensor> operator()(std::span<const Tensor> inputs);

  [[nodiscard]] const Program& program() const { return program_; }
  /// As it is now.
  [[nodiscard]] const SavedProgram& saved() const { return saved_; }

 private:
  /// What becomes of a state.
  struct Write {
    std::size_t state;
    ProgramOperand operand;
    bool is_sole;          // nothing else becomes of the value
    bool may_be_over;      // the final step that makes it may write over the one before
    Tensor next = {};      // unless it is sole
    bool is_over = false;  // in this call it is made over the one before
  };

  void list_ends();
  void check_inputs(std::span<const Tensor> inputs) const;
  void bind(std::span<const Tensor> inputs);
  [[nodiscard]] Tensor value_of(std::span<const Tensor> inputs, const ProgramOperand& operand, bool is_first);

  SavedProgram saved_;
  Program program_;
  ProgramRunner runner_;
  std::vector<Write> writes_;
  std::vector<char> is_first_;          // of each result, whether none before is the same value
  std::vector<std::size_t> source_of_;  // of each value, the number of its input or state
};

}  // namespace xtgrad::v1::detail
