#include "xtgrad/autograd/io/memory_budget.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void MemoryBudget::check(std::uint64_t bytes) const {
  if (bytes <= left_) return;
  throw IoError(
      fmt::format("too long: it needs {} bytes of memory, {} bytes are left of "
                  "ReadLimits::max_bytes, which is {}",
                  bytes, left_, max_));
}

void MemoryBudget::take(std::uint64_t bytes) {
  check(bytes);
  left_ -= bytes;
}

MemoryBudget budget_beside(std::string_view file, const ReadLimits& limits) {
  MemoryBudget budget(limits);
  budget.take(file.size());
  return budget;
}

void throw_does_not_fit(std::string_view function, std::string_view source) {
  throw IoError(fmt::format("{}: {} does not fit in memory", function, source));
}

void throw_about(std::string_view function, std::string_view source, const FileBytes& file,
                 const IoError& error) {
  const std::string kind = foreign_kind(file.format, file.bytes);
  if (!kind.empty()) throw IoError(fmt::format("{}: {}: this is {}", function, source, kind));
  throw_about(function, source, error);
}

void throw_about(std::string_view function, std::string_view source, const IoError& error) {
  throw IoError(fmt::format("{}: {}: {}", function, source, error.what()));
}

}  // namespace xtgrad::v1::detail
