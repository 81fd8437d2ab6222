#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/emit_cpp.h"

namespace xtgrad::inline v1::testing {

/// A program as a file of C++, compiled and loaded. It is compiled as what it says that it is: C++17, without
/// a warning, in a translation unit that has nothing else.
class Emitted {
 public:
  explicit Emitted(const Program& program, const EmitOptions& options = {});
  ~Emitted();
  Emitted(const Emitted&) = delete;
  Emitted& operator=(const Emitted&) = delete;

  [[nodiscard]] const std::string& text() const { return text_; }
  /// Sets the members of the state that are there.
  void set_state(const std::vector<NamedTensor>& state);
  /// Fills the state by the file's `initialize`.
  void initialize();
  /// The results; empty if the run was refused.
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs);
  [[nodiscard]] Tensor state(const std::string& name) const;
  /// Names of the members, as the program has them.
  [[nodiscard]] std::vector<std::string> state_names() const;

 private:
  struct Member {
    std::string name;
    Spec spec;
    std::size_t offset;
  };

  TemporaryFolder folder_;
  Program program_;
  std::string text_;
  std::vector<Member> members_;
  std::vector<std::max_align_t> state_;
  void* library_ = nullptr;
};

/// Units in the last place between two tensors, of the larger one of the two and of `scale` times the
/// largest element: a sum whose terms cancel keeps only the digits that its terms have.
[[nodiscard]] double largest_difference(const Tensor& a, const Tensor& b, double scale = 0);

}  // namespace xtgrad::testing
