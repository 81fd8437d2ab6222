#include "xtgrad/nn/members.h"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/stack_room.h"
#include "xtgrad/nn/type_name.h"

namespace xtgrad::inline v1::nn {
namespace {

using Objects = std::vector<Stateful*>;

/// The type whose members are being listed, for messages.
std::string type_inside(const Objects& objects) {
  if (objects.empty()) return "members";
  const Stateful& innermost = *objects.back();
  return detail::type_name(typeid(innermost));
}

// Out of line: what recurses should take little of the stack.
[[noreturn, gnu::noinline, gnu::cold]] void throw_holds_itself(const std::string& path,
                                                               const Stateful& object) {
  throw ValueError(fmt::format("members: \"{}\" is an object that holds itself: {}", path,
                               detail::type_name(typeid(object))));
}

}  // namespace

struct Members::Visited {
  // The paths that were listed, as a tree of the pieces between their dots: of nested modules, whole paths
  // would take room in the square of the depth.
  struct Piece {
    std::size_t parent;
    std::string name;
    bool operator==(const Piece&) const = default;
  };
  struct HashPiece {
    std::size_t operator()(const Piece& piece) const {
      return std::hash<std::string>()(piece.name) ^ (piece.parent * 0x9e3779b97f4a7c15U);
    }
  };

  /// Notes that `name`, below the object whose members are being listed, is listed; false if it is already.
  bool list(std::string_view name) {
    entered = object;
    while (true) {
      const std::size_t dot = name.find('.');
      const std::size_t next = places.size() + 1;
      const auto [found, is_new] = places.try_emplace({entered, std::string(name.substr(0, dot))}, next);
      entered = found->second;
      if (is_new) is_listed.push_back(false);
      if (dot == std::string_view::npos) break;
      name.remove_prefix(dot + 1);
    }
    return !std::exchange(is_listed[entered], true);
  }

  Objects inside;                                // objects whose members are being listed, outermost first
  std::unordered_set<const Stateful*> as_a_set;  // the same
  std::unordered_map<Piece, std::size_t, HashPiece> places;
  std::vector<char> is_listed{true};  // by place; 0 is the root
  std::size_t object = 0;             // the place of the innermost object
  std::size_t entered = 0;            // that of the name that was listed last
  std::unordered_set<const Parameter*> parameters;
};

Members::Members() : visited_(std::make_unique<Visited>()) {}
Members::~Members() = default;

void Members::operator()(std::string_view name, Parameter& parameter) {
  const std::size_t length = enter(name);
  visited_->parameters.insert(&parameter);
  if (parameter.defined()) on_parameter(path_, parameter);
  path_.resize(length);
}

void Members::operator()(std::string_view name, Tensor& buffer) {
  const std::size_t length = enter(name);
  // A leaf: what was computed from parameters, such as a state with its history, is a buffer like others.
  if (buffer.defined() && buffer.requires_grad() && !xtgrad::detail::node_of(buffer).recorded()) {
    throw GraphError(fmt::format(
        "{}: members lists the buffer \"{}\", {}, which wants a gradient, but no optimizer is given buffers; "
        "make it a Parameter, or detach() it",
        type_inside(visited_->inside), name, to_string(buffer.shape())));
  }
  on_buffer(path_, buffer);
  path_.resize(length);
}

void Members::operator()(std::string_view name, Stateful& child) {
  const std::size_t length = enter(name);
  if (visited_->as_a_set.contains(&child)) throw_holds_itself(path_, child);
  const std::size_t outer = std::exchange(visited_->object, visited_->entered);
  descend(child);
  visited_->object = outer;
  path_.resize(length);
}

void Members::operator()(std::string_view name, Random& stream) {
  const std::size_t length = enter(name);
  on_stream(path_, stream);
  path_.resize(length);
}

void Members::operator()(std::string_view name, xtgrad::Counter& counter) {
  const std::size_t length = enter(name);
  on_counter(path_, counter);
  path_.resize(length);
}

void Members::operator()(std::string_view name, std::int64_t& counter) {
  const std::size_t length = enter(name);
  on_integer(path_, counter);
  path_.resize(length);
}

void Members::setting(std::string_view name, double& value, std::shared_ptr<const void>& holder) {
  const std::size_t length = enter(name);
  on_setting(path_, value, holder);
  path_.resize(length);
}

void Members::tie(Parameter& parameter, const Parameter& original) {
  if (parameter.cell() == original.cell()) return;
  const std::string type = type_inside(visited_->inside);
  if (!original.defined()) {
    throw ValueError(
        fmt::format("{}: tie: the original is no parameter; it was default-constructed or moved from", type));
  }
  if (visited_->parameters.contains(&parameter)) {
    throw ValueError(fmt::format("{}: tie: the parameter, {}, was listed already; tie it before listing it",
                                 type, to_string(parameter.shape())));
  }
  parameter = original.share();
}

void Members::visit(Stateful& root) {
  path_.clear();
  *visited_ = {};
  descend(root);
}

std::size_t Members::enter(std::string_view name) {
  const std::size_t length = path_.size();
  if (name.empty()) {
    throw ValueError(
        fmt::format("{}: members lists something without a name", type_inside(visited_->inside)));
  }
  if (length > 0) path_ += '.';
  path_ += name;
  if (!visited_->list(name)) {
    throw ValueError(
        fmt::format("{}: members lists the name \"{}\" twice", type_inside(visited_->inside), name));
  }
  return length;
}

void Members::descend(Stateful& object) {
  detail::check_stack_room("members");
  on_object(path_, object);
  visited_->inside.push_back(&object);
  visited_->as_a_set.insert(&object);
  object.members(*this);
  visited_->as_a_set.erase(&object);
  visited_->inside.pop_back();
}

void Members::on_object(const std::string&, Stateful&) {}
void Members::on_parameter(const std::string&, Parameter&) {}
void Members::on_buffer(const std::string&, Tensor&) {}
void Members::on_stream(const std::string&, Random&) {}
void Members::on_counter(const std::string&, xtgrad::Counter&) {}
void Members::on_setting(const std::string&, double&, std::shared_ptr<const void>&) {}
void Members::on_integer(const std::string& path, std::int64_t& counter) {
  Counter copy(counter);
  on_counter(path, copy);
  counter = copy;
}

}  // namespace xtgrad::v1::nn
