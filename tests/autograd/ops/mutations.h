#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/ops/op_walk.h"

namespace xtgrad::inline v1::testing {

// Faults put into the rule of an operation one at a time: into a gradient that it gives, and into a step that
// it makes, as it runs and as it is recorded. What the derivative check compares must notice every one. A
// fault that it does not see is a hole in the samples.

enum class Fault {
  factor,           ///< a gradient times 1.001
  dropped,          ///< a gradient left out
  element_dropped,  ///< its largest element
  element_negated,  ///< the same with the other sign, and doubled
  swapped,          ///< gradients of neighbouring inputs exchanged
  operand_zero,     ///< an operand of a sum or difference taken for 0
  exchanged,        ///< the first two operands of a step
  axis              ///< the axis of a step moved by one
};
inline constexpr std::array all_faults{Fault::factor,          Fault::dropped, Fault::element_dropped,
                                       Fault::element_negated, Fault::swapped, Fault::operand_zero,
                                       Fault::exchanged,       Fault::axis};
std::string_view to_string(Fault fault);

struct MutationCounts {
  std::size_t seen = 0;
  std::size_t equivalent = 0;  ///< the same in exact arithmetic: see the table of them
};
struct MutationReport {
  std::array<MutationCounts, all_faults.size()> counts;
  std::vector<std::string> survivors;  ///< and entries of the table that are none

  [[nodiscard]] MutationCounts& of(Fault fault) { return counts[static_cast<std::size_t>(fault)]; }
};

/// A fault that changes nothing, and why.
struct EquivalentFault {
  OpId op;
  Fault fault;
  std::string_view step;  ///< of the rule; empty where it is in the gradients
  const char* proof;
};
const std::vector<EquivalentFault>& equivalent_faults();

/// Tries all faults of an operation that its samples give a place to.
MutationReport mutate(OpId id);

/// What became of them all, for docs/derivatives.md: tries each again.
std::string mutation_text();

// In gradient_mutations.cpp and step_mutations.cpp.
void mutate_gradients(const Op& op, MutationReport& report);
void mutate_steps(Op op, MutationReport& report);

}  // namespace xtgrad::v1::testing
