#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "xtgrad/autograd/emit/groups.h"
#include "xtgrad/autograd/emit/static_arena.h"
#include "xtgrad/autograd/emit_cpp.h"

namespace xtgrad::inline v1::detail {

/// Where a value is found.
struct ValueHome {
  enum class Kind {
    none,
    array,   // `text` is a pointer
    scalar,  // `text` is one element
    number,  // `text` is a literal, of every element
    group,   // a name in the loop that makes it, and nowhere else
  };
  Kind kind = Kind::none;
  std::string text = {};
};

/// One of the state, in the file.
struct StateMember {
  std::size_t state = 0;  // of the program
  std::string member;     // empty for a constant
  Spec spec;
  const Tensor* value = nullptr;  // what it is first, where that is given
  bool in_place = false;          // its next value is written over it
};

/// Finds a place for every value of a program: for constants and state what they are in the file, for a
/// result the caller's, for a next state that of the one before where nothing else reads that, and for the
/// others, one after the other while the function is written, a place in the arena.
class ValueHomes {
 public:
  ValueHomes(const ProgramSteps& program, const std::vector<StepGroup>& groups, const EmitOptions& options);

  [[nodiscard]] const ValueHome& home(ValueIndex value) const { return homes_[value]; }
  [[nodiscard]] const std::vector<StateMember>& members() const { return members_; }
  /// Of values that are constants of the file, and of what is given.
  [[nodiscard]] const std::string& constants() const { return constants_; }
  /// True if the state's next value is made where it stays.
  [[nodiscard]] bool is_written(std::size_t state) const;
  [[nodiscard]] bool is_written_result(std::size_t result) const { return written_results_[result] != 0; }

  /// Before a group is written: gives its results places, and defines their names.
  void begin_group(std::size_t group, Statements& code);
  /// Afterwards: takes places back.
  void end_group(std::size_t group);
  StaticArena::Place scratch(Dtype dtype, std::int64_t elements);
  [[nodiscard]] const StaticArena& arena() const { return arena_; }

  /// An element, at an index that is an expression.
  [[nodiscard]] std::string element(ValueIndex value, std::string_view index) const;
  /// A pointer to the elements; throws InternalError for a number.
  [[nodiscard]] std::string pointer(ValueIndex value) const;

 private:
  static constexpr std::size_t never = ~std::size_t{0};

  void find_uses();
  void place_sources(const EmitOptions& options);
  void place_state(const EmitOptions& options);
  void place_constant(ValueIndex value);
  /// Whether a whole step reads the value as an array.
  [[nodiscard]] bool needs_array(ValueIndex value) const;
  void place_next_state();
  [[nodiscard]] bool may_overwrite(const ProgramState& state) const;
  void place_results();

  const ProgramSteps& program_;
  const std::vector<StepGroup>& groups_;
  std::vector<ValueHome> homes_;
  std::vector<std::size_t> made_, last_read_;  // groups; `never` for none
  std::vector<char> is_end_;                   // a result or a next state
  std::vector<StateMember> members_;
  std::string constants_;
  std::vector<char> written_states_, written_results_;
  std::map<ValueIndex, StaticArena::Place> places_;
  std::vector<StaticArena::Place> scratch_;
  StaticArena arena_;
};

/// Elements of an array, as a definition: `static const float name[3] = {...};`.
[[nodiscard]] std::string array_definition(const std::string& name, const Spec& spec, const void* elements);

}  // namespace xtgrad::v1::detail
