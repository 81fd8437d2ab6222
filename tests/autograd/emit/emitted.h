#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/emit_cpp.h"

namespace xtgrad::inline v1::testing {

/// Files of C++ in one library: compiled as what they say that they are, C++17 without a warning.
class EmittedLibrary {
 public:
  ~EmittedLibrary();
  EmittedLibrary() = default;
  EmittedLibrary(const EmittedLibrary&) = delete;
  EmittedLibrary& operator=(const EmittedLibrary&) = delete;

  /// Takes a program's file, in a namespace of its own, and returns its number.
  std::size_t add(const Program& program, EmitOptions options = {});
  [[nodiscard]] const std::string& text(std::size_t number) const { return files_[number].text; }
  void compile(const std::string& optimization = "-O2");

  /// The results; empty if the run was refused. `state` may be null for a program that has none.
  std::vector<Tensor> run(std::size_t number, const std::vector<Tensor>& inputs, void* state = nullptr) const;
  [[nodiscard]] std::size_t bytes_of_state(std::size_t number) const;
  void initialize(std::size_t number, void* state) const;

 private:
  struct File {
    Program program;
    std::string name, text;
  };
  [[nodiscard]] void* symbol(const std::string& stem, std::size_t number) const;

  TemporaryFolder folder_;
  std::vector<File> files_;
  void* library_ = nullptr;
};

/// One program's file, and the state that it runs on.
class Emitted {
 public:
  explicit Emitted(const Program& program, const EmitOptions& options = {});

  [[nodiscard]] const std::string& text() const { return library_.text(0); }
  /// Sets the members of the state that are there.
  void set_state(const std::vector<NamedTensor>& state);
  /// Fills the state by the file's `initialize`.
  void initialize() { library_.initialize(0, state_.data()); }
  /// The results; empty if the run was refused.
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs) {
    return library_.run(0, inputs, state_.data());
  }
  [[nodiscard]] Tensor state(const std::string& name) const;
  /// Names of the members, as the program has them.
  [[nodiscard]] std::vector<std::string> state_names() const;

 private:
  struct Member {
    std::string name;
    Spec spec;
    std::size_t offset;
  };

  EmittedLibrary library_;
  std::vector<Member> members_;
  std::vector<std::max_align_t> state_;
};

/// Units in the last place between two tensors, of the larger one of two elements, and of `least` where both
/// are smaller: a sum whose terms cancel keeps only the digits that its terms have.
[[nodiscard]] double largest_difference(const Tensor& a, const Tensor& b, double least = 0);
/// The size of the largest finite element.
[[nodiscard]] double size_of(const Tensor& x);

}  // namespace xtgrad::testing
