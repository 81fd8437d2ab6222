#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

/// Places for what lies between steps, in one static object with an array for each dtype: best fit first, as
/// a program's arena, but counted in elements, so that no byte is ever of two types.
class StaticArena {
 public:
  struct Place {
    Dtype dtype = Dtype::float32;
    std::int64_t offset = 0, elements = 0;
  };

  Place take(Dtype dtype, std::int64_t elements);
  void give_back(const Place& place);

  /// `arena.f32 + 64`.
  [[nodiscard]] static std::string pointer(const Place& place);
  /// The object's definition; empty if it has no elements.
  [[nodiscard]] std::string definition() const;

 private:
  struct Part {
    std::int64_t end = 0;
    std::map<std::int64_t, std::int64_t> free = {};  // lengths by offset
  };

  std::map<Dtype, Part> parts_;
};

}  // namespace xtgrad::v1::detail
