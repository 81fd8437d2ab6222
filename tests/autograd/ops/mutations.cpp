#include "tests/autograd/ops/mutations.h"

#include <fmt/format.h>

namespace xtgrad::inline v1::testing {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::factor:
      return "factor 1.001";
    case Fault::dropped:
      return "dropped";
    case Fault::element_dropped:
      return "largest element dropped";
    case Fault::element_negated:
      return "largest element negated";
    case Fault::swapped:
      return "swapped";
    case Fault::operand_zero:
      return "operand taken for 0";
    case Fault::exchanged:
      return "operands exchanged";
    case Fault::axis:
      return "axis moved";
  }
  return "unknown";
}

const std::vector<EquivalentFault>& equivalent_faults() {
  constexpr const char* product = "a product of the two";
  constexpr const char* centred =
      "(x - m) - mean(x - m), whose second mean is the rounding of the first: with either of them alone it "
      "is the "
      "same but for that";
  constexpr const char* by_shape =
      "the operands' shapes say which axes are reduced; the step does not look at them";
  constexpr const char* apart =
      "at the middle of the kernel alone do the two meet, dilated that far: a product of the two";
  constexpr const char* distance = "the size of a difference";
  constexpr const char* ties =
      "no equivalent: it tells which values tie, where vectors have no derivative and no sample stands; "
      "what is "
      "given there is in `linalg_test.cpp`";
  constexpr const char* own_ties =
      "whether a value ties with itself, which its own factor of 0 makes no difference of";
  static const std::vector<EquivalentFault> table = {
      {OpId::exp, Fault::exchanged, "exp.rule0", product},
      {OpId::exp2, Fault::exchanged, "exp2.rule0", product},
      {OpId::square, Fault::exchanged, "square.rule0", "twice a product of the two"},
      {OpId::mul, Fault::exchanged, "mul.rule0", product},
      {OpId::mul, Fault::exchanged, "mul.rule1", product},
      {OpId::div, Fault::exchanged, "div.rule1", "their product, over the third"},
      {OpId::amax, Fault::axis, "amax.rule0", by_shape},
      {OpId::amax, Fault::axis, "amax.rule1", by_shape},
      {OpId::amin, Fault::axis, "amin.rule0", by_shape},
      {OpId::amin, Fault::axis, "amin.rule1", by_shape},
      {OpId::stddev, Fault::operand_zero, "sub()", centred},
      {OpId::ctc_loss, Fault::operand_zero, "add()", "of the row before the first step, which nothing reads"},
      {OpId::batch_norm, Fault::operand_zero, "sub()", centred},
      {OpId::layer_norm, Fault::operand_zero, "sub()", centred},
      {OpId::group_norm, Fault::operand_zero, "sub()", centred},
      {OpId::normalize_by, Fault::exchanged, "normalize_by.rule0", product},
      {OpId::conv2d, Fault::exchanged, "conv2d_weight_grad(kernel=[3, 3], stride=[1, 1], padding=[5, 5]",
       apart},
      {OpId::conv_transpose2d, Fault::exchanged,
       "conv2d_weight_grad(kernel=[3, 3], stride=[1, 1], padding=[5, 5]", apart},
      {OpId::eigh, Fault::exchanged, "matmul",
       "v inner v' with inner transposed; of the result the symmetric part is taken"},
      {OpId::eigh, Fault::exchanged, "sub()", distance},
      {OpId::eigh, Fault::operand_zero, "sub()", ties},
      {OpId::eigh, Fault::exchanged, "where()", own_ties},
      {OpId::eigvalsh, Fault::exchanged, "matmul",
       "v inner v' with inner transposed; of the result the symmetric part is taken"},
      {OpId::pinv, Fault::exchanged, "matmul",
       "they have one shape for square matrices alone, where I - a p and I - p a are 0, and this is a factor "
       "of "
       "theirs"},
      {OpId::svd, Fault::exchanged, "sub()", distance},
      {OpId::svd, Fault::operand_zero, "sub()", ties},
      {OpId::svd, Fault::exchanged, "where()", own_ties},
      {OpId::norm, Fault::exchanged, "div",
       "a length over the same length, of which one is a constant: 1; it is there for the second derivative"},
      {OpId::logsumexp, Fault::exchanged, "logsumexp.rule0",
       "a product of the two, where the third is finite"},
      {OpId::logsumexp, Fault::exchanged, "logsumexp.rule1",
       "they have one shape for a single element alone, whose softmax is 1 whatever it is of"}};
  return table;
}

std::string mutation_text() {
  std::array<MutationCounts, all_faults.size()> totals{};
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const MutationReport report = mutate(static_cast<OpId>(i));
    for (std::size_t fault = 0; fault < totals.size(); ++fault) {
      totals[fault].seen += report.counts[fault].seen;
      totals[fault].equivalent += report.counts[fault].equivalent;
    }
  }
  std::string text =
      "## Faults that the checks were tried with\n\n"
      "Put into each primitive's rule one at a time, by `tests/autograd/ops/mutation_test.cpp`: into a "
      "gradient that "
      "it gives, and into\na step that it makes, plain and recorded. One that no sample's derivative check "
      "notices "
      "fails, unless it changes nothing.\n\n"
      "| fault | tried | noticed | below |\n|---|---|---|---|\n";
  for (std::size_t fault = 0; fault < totals.size(); ++fault) {
    text += fmt::format("| {} | {} | {} | {} |\n", to_string(all_faults[fault]),
                        totals[fault].seen + totals[fault].equivalent, totals[fault].seen,
                        totals[fault].equivalent);
  }
  text +=
      "\nBelow are the steps whose fault changes nothing, and why. (Gradients that are declared equal are "
      "among the "
      "swapped ones.) Those\nof `eigh` and `svd` that tell ties are no equivalents: they show at points "
      "alone "
      "where there is no derivative.\n\n"
      "| operation | fault | step | why it computes the same |\n|---|---|---|---|\n";
  for (const EquivalentFault& one : equivalent_faults()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", detail::to_string(one.op), to_string(one.fault),
                        one.step, one.proof);
  }
  return text;
}

MutationReport mutate(OpId id) {
  const Op op = describe(id);
  MutationReport report;
  // Composites have no rule of their own, and constants none at all.
  if (op.kind != Kind::primitive) return report;
  mutate_gradients(op, report);
  mutate_steps(op, report);
  return report;
}

}  // namespace xtgrad::v1::testing
