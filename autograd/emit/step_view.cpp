#include "xtgrad/autograd/emit/step_view.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

const AttributeValue* StepView::find(std::string_view name) const {
  for (const NamedAttribute& attribute : attributes_) {
    if (attribute.name == name) return &attribute.value;
  }
  return nullptr;
}

const AttributeValue& StepView::get(std::string_view name) const {
  const AttributeValue* found = find(name);
  if (found == nullptr) throw InternalError(fmt::format("emit_cpp: {} has no \"{}\"", this->name(), name));
  return *found;
}

double StepView::number(std::string_view name) const {
  const AttributeValue& value = get(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

std::int64_t StepView::integer(std::string_view name) const { return std::get<std::int64_t>(get(name)); }

bool StepView::flag(std::string_view name) const { return std::get<bool>(get(name)); }

std::vector<std::int64_t> StepView::sizes(std::string_view name) const {
  return std::get<std::vector<std::int64_t>>(get(name));
}

Size2d StepView::size2d(std::string_view name, const Size2d& otherwise) const {
  const auto* sizes = std::get_if<std::vector<std::int64_t>>(&get(name));
  return sizes == nullptr ? otherwise : Size2d(sizes->at(0), sizes->at(1));
}

}  // namespace xtgrad::v1::detail
