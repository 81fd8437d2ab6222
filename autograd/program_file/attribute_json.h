#pragma once

#include <string_view>

#include "xtgrad/autograd/attributes.h"
#include "xtgrad/autograd/program_file/json.h"

namespace xtgrad::inline v1::detail {

[[nodiscard]] Json json_of(const AttributeValue& value);

/// The attribute that is written so; throws IoError, which names `attribute`, for what is none.
[[nodiscard]] AttributeValue attribute_of(std::string_view attribute, const Json& json);

}  // namespace xtgrad::v1::detail
