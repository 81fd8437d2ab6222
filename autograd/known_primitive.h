#pragma once

#include <cstddef>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

class Primitive;

namespace detail {

/// A class of primitives that can be loaded, in the list of all that are in the process: each such class is
/// in it by its code being there (autograd/primitive.h). It takes no memory, and nobody asks for its name
/// before one is sought.
class KnownPrimitive {
 public:
  /// Makes one of the class, with attributes that are there to be described over.
  using Make = Primitive* (*)(void* place);

  KnownPrimitive(std::size_t bytes, Make maker) noexcept;
  ~KnownPrimitive();
  KnownPrimitive(const KnownPrimitive&) = delete;
  KnownPrimitive& operator=(const KnownPrimitive&) = delete;

  // For the library alone.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] Primitive* make(void* place) const { return maker_(place); }
  /// Calls f(context, known) for each of them. None comes or goes meanwhile, so f must not load libraries.
  static void for_each(void (*f)(void* context, const KnownPrimitive& known), void* context);

 private:
  std::size_t bytes_;
  Make maker_;
  KnownPrimitive* next_;
};

}  // namespace detail

}}  // namespace xtgrad::v1
