#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Tensors by name, in the order in which they were put in: everything that a model or an optimizer must
/// remember. Parameters and buffers are themselves; a random stream is int64 [2] (seed, position), a counter
/// is int64 [].
class StateDict {
 public:
  using Entry = NamedTensor;  ///< `name` and `value`

  /// Throws ValueError for a name that is there already.
  void add(std::string name, const Tensor& value);
  /// Adds all that another one has, with `prefix` and a dot in front: "model" and "head.weight" make
  /// "model.head.weight". With an empty prefix the names stay. All of it or, where a name is there already,
  /// which is a ValueError, nothing.
  void add(std::string_view prefix, const StateDict& other);
  /// What `add` with this prefix made: the values whose names begin with `prefix` and a dot, without these.
  [[nodiscard]] StateDict under(std::string_view prefix) const;
  /// As `add`, of a random stream: `save` can leave it out.
  void add_stream(std::string name, const Tensor& value);
  /// True for a random stream of a state that `state_dict` gave; files do not say what one is.
  [[nodiscard]] bool is_stream(std::string_view name) const;
  /// Puts a value in, in the place of another of that name if there is one.
  void set(std::string_view name, const Tensor& value);
  /// Removes a name; false if it is not there. Those behind it move up, which takes as long as there are
  /// many.
  bool erase(std::string_view name);

  [[nodiscard]] bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// Throws ValueError that lists the names there are.
  [[nodiscard]] const Tensor& at(std::string_view name) const&;
  [[nodiscard]] Tensor at(std::string_view name) const&& { return at(name); }
  /// nullptr if the name is not there.
  [[nodiscard]] const Tensor* find(std::string_view name) const&;
  const Tensor* find(std::string_view name) const&& = delete;  // of a temporary it would point nowhere

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::vector<Entry>::const_iterator begin() const& { return entries_.begin(); }
  [[nodiscard]] std::vector<Entry>::const_iterator end() const& { return entries_.end(); }
  std::vector<Entry>::const_iterator begin() const&& = delete;
  std::vector<Entry>::const_iterator end() const&& = delete;

 private:
  /// Where a name is in slots_, or should be: then 0 is there. Not to be asked while there are no slots.
  [[nodiscard]] std::size_t slot_of(std::string_view name) const;
  [[nodiscard]] std::size_t first_slot_of(std::string_view name) const;
  void make_room();
  void fill_slots();
  void free_slot(std::size_t slot);
  void cut_to(std::size_t size);

  std::vector<Entry> entries_;
  // A hash table: for each entry 1 + its place, in the first slot from its hash on that was free; else 0. A
  // power of two, at most half of them taken.
  std::vector<std::size_t> slots_;
  std::vector<std::size_t>
      streams_;  // for each of entries_, 1 if it is one, else 0: a vector that is there already
};

}}}  // namespace xtgrad::v1::nn
