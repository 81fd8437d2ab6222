#include "xtgrad/autograd/explorer/formulas.h"

#include <algorithm>
#include <iterator>

namespace xtgrad::inline v1::detail {
namespace {

constexpr StepFormula formulas[] = {
#define XTGRAD_FORMULA(operation, inputs, outputs, text) {operation, inputs, outputs, text},
#include "xtgrad/autograd/explorer/formulas.def"
#undef XTGRAD_FORMULA
};

}  // namespace

const StepFormula* formula_of(std::string_view operation) {
  const auto* found = std::find_if(std::begin(formulas), std::end(formulas), [&](const StepFormula& formula) {
    return formula.operation == operation;
  });
  return found == std::end(formulas) ? nullptr : found;
}

}  // namespace xtgrad::v1::detail
