#pragma once

#include <string>
#include <typeinfo>

namespace xtgrad::inline v1::nn::detail {

/// The class's name as written in C++, without namespaces: "Linear", "Pair<Linear>".
std::string type_name(const std::type_info& type);

}  // namespace xtgrad::v1::nn::detail
