#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/program/arena_plan.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Is told of each step of a run.
class RunWatcher {
 public:
  virtual ~RunWatcher() = default;
  virtual void before_step(std::size_t step) = 0;
  virtual void after_step(std::size_t step, Inputs in, Outputs out) = 0;
};

/// Runs a program's steps, in memory of its own: one arena for what lives between them, and for results and
/// the next state tensors that the runner keeps, and fills again where nobody else can see them. Once it has
/// run, it allocates nothing and makes no nodes while that is so.
class ProgramRunner {
 public:
  explicit ProgramRunner(std::shared_ptr<const ProgramSteps> program);
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  /// What an input, or a state before the run, is: of the spec that the program knows, and there until the
  /// run ends.
  void bind(const ProgramOperand& operand, const Array& array) { place(operand.value, array.buffer.get()); }
  /// Lets the next run write a value over an array that nobody else sees: a state before the run, whose next
  /// value it is (program/final_steps.h).
  void write_over(const ProgramOperand& operand, const Array& array) {
    kept_[kept_of_[operand.value]].over = array.buffer.get();
  }
  /// Finds memory for what is made, and runs all steps but the final ones. Throws what a step throws; results
  /// are then of no use, and nothing else has changed.
  void begin();
  /// Runs the final steps, which cannot fail.
  void finish();
  /// What the program made of a result's, or a next state's value. To be written over by the next run unless
  /// somebody else has a handle on it.
  [[nodiscard]] Tensor& made(const ProgramOperand& operand);

  /// Who is told of steps from now on; null for nobody.
  void watch(RunWatcher* watcher) { watcher_ = watcher; }

  [[nodiscard]] const ArenaPlan& plan() const { return plan_; }

 private:
  struct Call {
    const Primitive* primitive;
    std::uint32_t in, n_in;        // places in in_
    std::uint32_t out, n_out;      // places in out_
    std::uint32_t fresh, n_fresh;  // of its outputs, those in the arena: places in fresh_
  };
  /// A block's beginning that says it is a buffer: values that lay over it have written there.
  struct Fresh {
    Buffer* header;
    std::size_t bytes;
  };
  struct Kept {
    ValueIndex value;
    Tensor tensor;
    const Buffer* over = nullptr;  // where to write it in the next run, in place of the tensor
  };

  std::uint32_t array_for(const ProgramOperand& operand);
  void make_arrays();
  void make_calls();
  void place(ValueIndex value, const Buffer* buffer);
  void prepare_kept();
  void run_calls(std::size_t first, std::size_t end);
  void run_watched(const Call& call, std::size_t step);
  static void renew(const Fresh& fresh);

  std::shared_ptr<const ProgramSteps> program_;
  ArenaPlan plan_;
  RunWatcher* watcher_ = nullptr;
  BufferRef arena_;
  std::vector<Array> arrays_;  // a value in each shape that it is seen in; their handles are not counted
  std::vector<std::vector<std::uint32_t>> arrays_of_;  // of each value
  std::vector<Call> calls_;
  std::vector<const Array*> in_;
  std::vector<Array*> out_;
  std::vector<Fresh> fresh_;
  std::vector<Kept> kept_;
  std::vector<std::uint32_t> kept_of_;  // of each value, its place in kept_, or none
};

}  // namespace xtgrad::v1::detail
