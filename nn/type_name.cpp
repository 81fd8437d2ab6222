#include "xtgrad/nn/type_name.h"

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace xtgrad::inline v1::nn::detail {
namespace {

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Where a qualifier that ends at `end` begins: a name, "(anonymous namespace)", or a function's "f(int)".
std::size_t qualifier_start(const std::string& text, std::size_t end) {
  int depth = 0;
  while (end > 0) {
    const char c = text[end - 1];
    if (c == ')' || c == '>') ++depth;
    if (c == '(' || c == '<') {
      if (depth == 0) break;
      --depth;
    } else if (depth == 0 && !is_identifier(c) && c != ')' && c != '>') {
      break;
    }
    --end;
  }
  return end;
}

}  // namespace

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  if (status != 0) return type.name();
  std::string name = demangled.get();
  // Each "qualifier::" is cut away, also within template arguments.
  for (std::size_t colons = name.find("::"); colons != std::string::npos; colons = name.find("::")) {
    const std::size_t start = qualifier_start(name, colons);
    name.erase(start, colons + 2 - start);
  }
  return name;
}

}  // namespace xtgrad::v1::nn::detail
