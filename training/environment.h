#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/checkpoint.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// What the bits of a training depend on beside its choices: "build", a number of the program and the
/// libraries that are loaded with it, "processor", the name of its model, and "instructions",
/// `cpu_capability()`. The same choices promise the same bits where all are the same: another compiler fuses
/// other products, and libraries ask the processor how to add. Where the system does not tell, the text is
/// "unknown".
[[nodiscard]] Notes build_and_processor();

/// A sentence for the user for whom a checkpoint of `then` goes on where the notes are `now`, both with those
/// of `build_and_processor`: that the result may not have the bits of an uninterrupted training, and why.
/// Empty where all are the same, or not known to differ.
[[nodiscard]] std::string warning_of_other_bits(const Notes& then, const Notes& now);

}}}  // namespace xtgrad::v1::training
