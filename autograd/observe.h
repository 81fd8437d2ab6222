#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct NanGuardOptions {
  bool infinities =
      true;  ///< infinite results count, too; false where a model means them, as masks of -inf do
};

/// Finds where NaN or infinity comes from: while in scope, the first operation of this thread whose result is
/// not finite though all its inputs are throws NonFiniteError, which names the operation, in a sweep the rule
/// that ran it, the element and the ranges of the inputs. What is made of numbers alone, such as full(...,
/// inf), may be what it likes. Looking at every element costs about as much as an elementwise operation does.
///
///   NanGuard guard;
///   Tensor loss = nn::cross_entropy(model(x), y);  // throws where the first NaN is made
///   loss.backward();                               // here as well
class NanGuard {
 public:
  explicit NanGuard(const NanGuardOptions& options = {});
  ~NanGuard();
  NanGuard(const NanGuard&) = delete;
  NanGuard& operator=(const NanGuard&) = delete;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

/// What one kind of operation has cost.
struct ProfileRow {
  std::string name;  ///< of the operation; "tanh.rule0" is a fused part of a rule
  std::int64_t calls = 0;
  double seconds = 0;      ///< in its kernels, wall-clock, without the bookkeeping of the graph
  std::int64_t bytes = 0;  ///< of results
};

/// Measures what this thread computes while in scope, operation by operation.
///
///   Profile profile;
///   train_one_step();
///   std::cout << profile.table();
class Profile {
 public:
  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// So far, the most expensive first.
  [[nodiscard]] std::vector<ProfileRow> rows() const;
  /// The rows as text, with their shares of the time.
  [[nodiscard]] std::string table() const;
  /// Every call with its begin and its length, in the JSON that Chrome's about:tracing and Perfetto read.
  [[nodiscard]] std::string chrome_trace() const;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}}  // namespace xtgrad::v1
