#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/emit/homes.h"

namespace xtgrad::inline v1::detail {

/// Loops over a shape's elements, in order, and where operands that broadcast to it lie: dimensions that
/// every operand walks alike are one loop.
class BroadcastLoops {
 public:
  BroadcastLoops(const Shape& shape, const std::vector<Shape>& operands);

  /// Opens the loops; `index()` is the element's number from there on.
  void open(Statements& code);
  void close(Statements& code) const;
  [[nodiscard]] const std::string& index() const { return index_; }
  /// Of the element of operand k.
  [[nodiscard]] std::string index_of(std::size_t k) const;
  [[nodiscard]] std::size_t loops() const { return sizes_.size(); }

 private:
  std::vector<std::int64_t> sizes_;
  std::vector<std::vector<std::int64_t>> steps_;  // of each operand, by loop
  std::vector<std::string> names_;
  std::string index_;
};

/// "i * 16 + j", of names and the elements that each steps over; "0" for none.
[[nodiscard]] std::string index_text(const std::vector<std::string>& names,
                                     const std::vector<std::int64_t>& steps);

/// Writes a group of steps that compute element by element.
void write_elements(const ProgramSteps& program, const StepGroup& group, const ValueHomes& homes,
                    Statements& code);

}  // namespace xtgrad::v1::detail
