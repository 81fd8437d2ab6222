#include "xtgrad/autograd/emit/static_arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "xtgrad/autograd/emit/statements.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Places begin at whole cache lines of the widest dtype, and of most of the others.
constexpr std::int64_t granule = 16;

std::string_view part_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
      return "b8";
    case Dtype::uint8:
      return "u8";
    case Dtype::int32:
      return "i32";
    case Dtype::int64:
      return "i64";
    case Dtype::float32:
      return "f32";
    case Dtype::float64:
      break;
  }
  return "f64";
}

}  // namespace

StaticArena::Place StaticArena::take(Dtype dtype, std::int64_t elements) {
  Part& part = parts_[dtype];
  const std::int64_t length = std::max<std::int64_t>(1, (elements + granule - 1) / granule) * granule;
  auto best = part.free.end();
  for (auto it = part.free.begin(); it != part.free.end(); ++it) {
    if (it->second >= length && (best == part.free.end() || it->second < best->second)) best = it;
  }
  if (best == part.free.end()) {
    // At the end, over what is free there.
    std::int64_t offset = part.end;
    if (!part.free.empty()) {
      const auto last = std::prev(part.free.end());
      if (last->first + last->second == part.end) {
        offset = last->first;
        part.free.erase(last);
      }
    }
    part.end = offset + length;
    return {dtype, offset, length};
  }
  const auto [offset, size] = *best;
  part.free.erase(best);
  if (size > length) part.free.emplace(offset + length, size - length);
  return {dtype, offset, length};
}

void StaticArena::give_back(const Place& place) {
  auto& free = parts_[place.dtype].free;
  auto it = free.emplace(place.offset, place.elements).first;
  if (const auto next = std::next(it); next != free.end() && it->first + it->second == next->first) {
    it->second += next->second;
    free.erase(next);
  }
  if (it == free.begin()) return;
  if (const auto before = std::prev(it); before->first + before->second == it->first) {
    before->second += it->second;
    free.erase(it);
  }
}

std::string StaticArena::pointer(const Place& place) {
  return fmt::format("arena.{} + {}", part_name(place.dtype), place.offset);
}

std::string StaticArena::definition() const {
  std::string members;
  for (const auto& [dtype, part] : parts_)
    members += fmt::format("  alignas(64) {} {}[{}];\n", cpp_type(dtype), part_name(dtype), part.end);
  return members.empty()
             ? ""
             : fmt::format("// What lies between steps.\nstatic struct {{\n{}}} arena;\n\n", members);
}

}  // namespace xtgrad::v1::detail
