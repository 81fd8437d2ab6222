#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/checkpoint.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// What the bits of a training depend on beside its choices: "build", a number of the program and the
/// libraries that are loaded with it, and "processor", the name of its model. The same choices promise the
/// same bits where both are the same: another compiler fuses other products, and a library of matrix products
/// asks the processor how to add. Where the system does not tell, the text is "unknown".
[[nodiscard]] Notes build_and_processor();

/// A sentence for the user for whom a checkpoint of `then` goes on where the notes are `now`, both with those
/// of `build_and_processor`: that the result may not have the bits of an uninterrupted training, and why.
/// Empty where both are the same, or one is not known.
[[nodiscard]] std::string warning_of_other_bits(const Notes& then, const Notes& now);

}}}  // namespace xtgrad::v1::training
