#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Base of everything that xtgrad throws on purpose; catch this to catch them all. A message reads
/// `function: rule: both values`, for example `matmul: inner sizes differ: a is [2, 3], b is [4, 5]`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// Puts `where` and a colon in front of the message: for who catches an error by reference, knows the
  /// place, and throws it on (`throw;`), which keeps its type. The first call alone counts, so the innermost
  /// place is named once; with an empty `where` the message stays as it is for good.
  void add_context(const std::string& where);
  [[nodiscard]] bool has_context() const noexcept { return has_context_; }

 private:
  bool has_context_ = false;
};

/// Shapes, sizes or axes that do not fit.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Element types that do not fit, or a number that the element type cannot hold.
class DtypeError : public Error {
 public:
  using Error::Error;
};

/// A derivative that cannot be taken: nothing was recorded, or the graph was freed.
class GraphError : public Error {
 public:
  using Error::Error;
};

/// An option or argument outside its range.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A result that is NaN or infinite, where a NanGuard asks for finite ones.
class NonFiniteError : public Error {
 public:
  using Error::Error;
};

/// An iteration that did not reach its tolerance, or an equation that has no single solution.
class ConvergenceError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, damaged, foreign, or larger than memory.
class IoError : public Error {
 public:
  using Error::Error;
};

/// Memory that the system does not have, after all that lay idle has been given back to it. A std::bad_alloc
/// and no Error, so that whoever catches the one finds it; `operation: out of memory: both numbers of bytes`.
class OutOfMemory : public std::bad_alloc {
 public:
  OutOfMemory(std::int64_t bytes_asked, std::int64_t bytes_in_use) noexcept;

  [[nodiscard]] const char* what() const noexcept override { return text_; }
  /// What could not be had.
  [[nodiscard]] std::int64_t bytes_asked() const noexcept { return bytes_asked_; }
  /// What memory_in_use() was then.
  [[nodiscard]] std::int64_t bytes_in_use() const noexcept { return bytes_in_use_; }
  /// The name of the operation that asked; empty if it was none.
  [[nodiscard]] std::string_view operation() const noexcept;

  /// The first call alone counts, so the innermost operation is named. A long name is cut.
  void set_operation(std::string_view operation) noexcept;

 private:
  std::int64_t bytes_asked_;
  std::int64_t bytes_in_use_;
  // Arrays, since memory for a string may be what is lacking.
  char operation_[64] = {};
  char text_[192] = {};
};

/// A fault of xtgrad itself, such as a derivative rule that returns a wrong shape. Please report it.
class InternalError : public Error {
 public:
  using Error::Error;
};

}}  // namespace xtgrad::v1
