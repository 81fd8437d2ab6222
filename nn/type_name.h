#pragma once

#include <string>
#include <typeinfo>

namespace xtgrad {
inline namespace v1 {
namespace nn {
namespace detail {

/// The class's name as written in C++, without namespaces: "Linear", "Pair<Linear>".
std::string type_name(const std::type_info& type);

}  // namespace detail
}  // namespace nn
}  // namespace v1
}  // namespace xtgrad
