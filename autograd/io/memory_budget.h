#pragma once

#include <cstdint>
#include <new>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/foreign_file.h"

namespace xtgrad::inline v1::detail {

/// What a reader may still bring into memory, of ReadLimits::max_bytes.
class MemoryBudget {
 public:
  explicit MemoryBudget(const ReadLimits& limits) : left_(limits.max_bytes), max_(limits.max_bytes) {}

  /// Throws IoError, before any of it is asked of the system, if it is more than what is left.
  void check(std::uint64_t bytes) const;
  /// Checks, and counts it from now on.
  void take(std::uint64_t bytes);

 private:
  std::uint64_t left_;
  std::uint64_t max_;
};

/// Of a reader that has the whole file in memory.
[[nodiscard]] MemoryBudget budget_beside(std::string_view file, const ReadLimits& limits);

[[noreturn]] void throw_does_not_fit(std::string_view function, std::string_view source);

/// Calls `read`; memory that runs out in it is an IoError of `function` about `source`.
template <class Read>
auto within_memory(std::string_view function, std::string_view source, Read read) {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    throw_does_not_fit(function, source);
  }
}

[[noreturn]] void throw_about(std::string_view function, std::string_view source, const IoError& error);

/// The same of a file that should be in the reader's format: says what it is if it is something else.
struct FileBytes {
  FileFormat format;
  std::string_view bytes;
};
[[noreturn]] void throw_about(std::string_view function, std::string_view source, const FileBytes& file,
                              const IoError& error);

/// As `within_memory`, for a reader of a file; an IoError of `read` is one of `function` about `source`, too.
template <class Read>
auto reading(std::string_view function, std::string_view source, const FileBytes& file, Read read) {
  try {
    return read();
  } catch (const IoError& error) {
    throw_about(function, source, file, error);
  } catch (const std::bad_alloc&) {
    throw_does_not_fit(function, source);
  }
}

}  // namespace xtgrad::v1::detail
