#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

void Error::add_context(const std::string& where) {
  if (has_context_) return;
  // The base's assignment replaces the text and leaves this object's own type alone.
  if (!where.empty()) static_cast<std::runtime_error&>(*this) = std::runtime_error(where + ": " + what());
  has_context_ = true;
}

}  // namespace xtgrad::v1
