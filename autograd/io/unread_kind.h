#pragma once

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

/// Thrown for an entry of a file that is whole, as far as can be seen, but of a kind that there is no tensor
/// of: who asks for all entries goes on without it.
class UnreadKind : public IoError {
 public:
  using IoError::IoError;
};

}  // namespace xtgrad::v1::detail
