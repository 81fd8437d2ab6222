#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
class XTGRAD_LOCAL LoadedRun;
}

/// A captured function from a file, with its weights and the rest of its state: what `capture` gave
/// (nn/capture.h), for a program that has none of the model's code. It has the bits of the function, call
/// after call. Arguments are tensors alone: numbers and options that the function was captured with are
/// constants, and so is whether a module was in train() or in eval().
///
///   LoadedProgram step = load_program("step.program");
///   Tensor loss = step({x, y})[0];
class LoadedProgram {
 public:
  ~LoadedProgram();
  LoadedProgram(LoadedProgram&&) noexcept;
  LoadedProgram& operator=(LoadedProgram&&) noexcept;

  /// The results, in order. The state moves on, unless something throws: ValueError for another number of
  /// inputs, ShapeError for one of another shape or dtype, GraphError for one that wants a gradient where
  /// none did, and whatever the steps throw, for instance of an index out of range. Results have no history.
  std::vector<Tensor> operator()(std::span<const Tensor> inputs);
  std::vector<Tensor> operator()(std::initializer_list<Tensor> inputs);

  /// What a call runs.
  [[nodiscard]] const Program& program() const&;
  [[nodiscard]] Program program() const&& { return program(); }

  struct Input {
    std::string name;  ///< as the program's text calls it, "in0"
    Spec spec;
  };
  [[nodiscard]] std::vector<Input> inputs() const;

  /// What the next call finds, by name: parameters, gradients, moments, counters and streams. A gradient that
  /// the function makes and does not read is not there before the first call.
  [[nodiscard]] std::vector<NamedTensor> state() const;
  /// Throws ValueError for a name that is none of these.
  [[nodiscard]] Tensor state(std::string_view name) const;

  /// Writes it to a file as `Captured::save` does, with the state as it is now.
  void save(const std::string& path) const;
  /// The bytes of that file.
  [[nodiscard]] std::string encode() const;

  // For the library alone.
  XTGRAD_LOCAL explicit LoadedProgram(std::unique_ptr<detail::LoadedRun> run);

 private:
  std::unique_ptr<detail::LoadedRun> run_;
};

/// Reads what `Captured::save` or `LoadedProgram::save` has written. Trusts nothing: IoError names the file,
/// the step or the place in it, what was found and what was expected; a file of a newer version, and an
/// operation that this program does not have, are refused by name. `limits` hold for what a call needs, too.
[[nodiscard]] LoadedProgram load_program(const std::string& path, const ReadLimits& limits = {});
/// The same of the bytes of such a file; `source` is what messages call it.
[[nodiscard]] LoadedProgram decode_program(std::string_view bytes, std::string_view source,
                                           const ReadLimits& limits = {});

}}  // namespace xtgrad::v1
