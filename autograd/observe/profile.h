#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// What one kind of operation has cost.
struct ProfileRow {
  /// Of the operation; "tanh.rule0" is a fused part of a rule, "f/sign" what a `custom_vjp` named f ran.
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;      ///< in its kernels, wall-clock, without the bookkeeping of the graph
  std::int64_t bytes = 0;  ///< of results
  std::int64_t flops = 0;  ///< arithmetic operations, counted from the shapes alone; see `Profile`
};

/// What one direction of a module has cost, its parts included.
struct ProfileCost {
  std::int64_t calls = 0;  ///< of operations
  double seconds = 0;
  std::int64_t bytes = 0;
  std::int64_t flops = 0;
  /// The most memory that was in use meanwhile: values, nodes and all else that the library has asked its
  /// pool for, by blocks as the pool cuts them, with what kernels take and give back. Of this thread at any
  /// moment; of others, which help with large operations, what they have when an operation begins or ends.
  std::int64_t peak_bytes = 0;
};

/// What a module has cost.
struct ProfileModule {
  std::string name;        ///< path from the outermost module, by its type: "ConvNet.features.0"
  std::string type;        ///< such as "Conv2d"
  std::int64_t calls = 0;  ///< of its forward
  ProfileCost forward;
  ProfileCost backward;  ///< rules of what its forward recorded, and what a checkpoint computes again
  /// Memory that one forward left in use: its results and what rules will read. The largest, of several.
  std::int64_t held_bytes = 0;
};

/// Measures what this thread computes while in scope, by operation and by module.
///
///   Profile profile;
///   train_one_step();
///   std::cout << profile.table();
///
/// Arithmetic operations: a product of matrices counts 2 m n k, a convolution as much as the product that it
/// is, padding included; an elementwise operation or fused rule one for each element of its result, whatever
/// the function; a reduction one for each element that it reads; softmax 5, its rule 4, batch_norm 7 and its
/// rule 9 for each element; pooling one for each element of each window. What only moves elements counts
/// none. While a profile lives, sums of gradients are made anew instead of in place, so a sweep may need more
/// memory than without.
class Profile {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Operations so far, the most expensive first.
  [[nodiscard]] std::vector<ProfileRow> rows() const;
  /// Modules so far, in the order in which they first ran, each before its parts; and, if anything ran
  /// outside of all, a last one named "(outside)", without type, calls and memory.
  [[nodiscard]] std::vector<ProfileModule> modules() const;
  /// The rows as text, with their shares of the time; then the modules, if any ran: how often, and for each
  /// direction operations, time, arithmetic, bytes of results and the peak of memory.
  [[nodiscard]] std::string table() const;
  /// Every operation, forward and rule with its begin and its length, in the JSON that Chrome's
  /// about:tracing and Perfetto read; a forward that a checkpoint runs again has the category "replay". What
  /// is not UTF-8 in a name is replaced by U+FFFD.
  [[nodiscard]] std::string chrome_trace() const;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}}  // namespace xtgrad::v1
