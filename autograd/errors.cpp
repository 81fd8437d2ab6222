#include "xtgrad/autograd/errors.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "xtgrad/autograd/core/op_id.h"

namespace xtgrad::inline v1 {

void Error::add_context(const std::string& where) {
  if (has_context_) return;
  // The base's assignment replaces the text and leaves this object's own type alone.
  if (!where.empty()) static_cast<std::runtime_error&>(*this) = std::runtime_error(where + ": " + what());
  has_context_ = true;
}

OutOfMemory::OutOfMemory(std::int64_t bytes_asked, std::int64_t bytes_in_use) noexcept
    : bytes_asked_(bytes_asked), bytes_in_use_(bytes_in_use) {
  std::snprintf(text_, sizeof text_, "out of memory: %" PRId64 " bytes asked for, %" PRId64 " bytes in use",
                bytes_asked, bytes_in_use);
}

std::string_view OutOfMemory::operation() const noexcept { return operation_; }

void OutOfMemory::set_operation(std::string_view operation) noexcept {
  if (operation_[0] != 0) return;
  operation = detail::without_number(operation);
  std::copy_n(operation.data(), std::min(operation.size(), sizeof operation_ - 1), operation_);
  std::snprintf(text_, sizeof text_,
                "%s: out of memory: %" PRId64 " bytes asked for, %" PRId64 " bytes in use", operation_,
                bytes_asked_, bytes_in_use_);
}

}  // namespace xtgrad::v1
