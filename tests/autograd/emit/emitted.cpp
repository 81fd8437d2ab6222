#include "tests/autograd/emit/emitted.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/emit/statements.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::testing {
namespace {

using detail::array_of;

/// One function of C that calls the emitted one, so that it can be looked up by name.
std::string entry(const detail::ProgramSteps& steps, const EmitOptions& options, const std::string& text) {
  std::string arguments;
  const auto add = [&](const std::string& argument) { arguments += (arguments.empty() ? "" : ", ") + argument; };
  for (std::size_t k = 0; k < steps.inputs.size(); ++k)
    add(fmt::format("static_cast<const {}*>(in[{}])", detail::cpp_type(steps.inputs[k].spec.dtype), k));
  const bool has_state = text.find("struct State {") != std::string::npos;
  if (has_state) add(fmt::format("*static_cast<{}::State*>(state)", options.name));
  for (std::size_t k = 0; k < steps.results.size(); ++k)
    add(fmt::format("static_cast<{}*>(out[{}])", detail::cpp_type(steps.results[k].spec.dtype), k));
  const bool refuses = text.find(fmt::format("\nbool {}(", options.function)) != std::string::npos;
  const std::string call = fmt::format("{}::{}({})", options.name, options.function, arguments);
  std::string entries = fmt::format(
      "\nextern \"C\" int call_emitted(const void* const* in, void* state, void* const* out) {{\n"
      "  static_cast<void>(in); static_cast<void>(state); static_cast<void>(out);\n  {}\n}}\n",
      refuses ? "return " + call + " ? 1 : 0;" : call + "; return 1;");
  entries += fmt::format("extern \"C\" unsigned long bytes_of_state() {{ return {}; }}\n",
                         has_state ? fmt::format("sizeof({}::State)", options.name) : "0");
  const bool initializes = text.find("void initialize(State& state)") != std::string::npos;
  if (initializes) {
    entries += fmt::format(
        "extern \"C\" void initialize_emitted(void* state) {{ {0}::initialize(*static_cast<{0}::State*>(state)); }}\n",
        options.name);
  }
  return entries;
}

/// Members of the state, by the comment that each has... which are those that the struct names.
bool has_member(const std::string& text, const std::string& member) {
  const std::size_t begin = text.find("struct State {");
  if (begin == std::string::npos) return false;
  const std::string members = text.substr(begin, text.find("};", begin) - begin);
  return members.find(" " + member + ";") != std::string::npos ||
         members.find(" " + member + "[") != std::string::npos;
}

}  // namespace

Emitted::Emitted(const Program& program, const EmitOptions& options)
    : program_(program), text_(emit_cpp(program, options)) {
  const std::filesystem::path source = folder_.path() / "emitted.cpp", library = folder_.path() / "emitted.so";
  const detail::ProgramSteps& steps = *program_.unfused();
  std::ofstream(source) << text_ << entry(steps, options, text_);
  const ProgramResult compiled =
      run_program(XTGRAD_CXX, {"-std=c++17", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror",
                               "-pedantic", "-fno-exceptions", "-fno-rtti", "-shared", "-fPIC", "-o",
                               library.string(), source.string()});
  REQUIRE_MESSAGE(compiled.exit_code == 0, compiled.err << text_);
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library_ != nullptr);
  std::size_t offset = 0;
  for (const detail::ProgramState& state : steps.state) {
    const auto& operand = state.before.value != detail::no_value ? state.before : state.after;
    if (operand.value == detail::no_value || !has_member(text_, detail::identifier_of(state.name))) continue;
    const std::size_t size = item_size(operand.spec.dtype);
    offset = (offset + size - 1) / size * size;
    members_.push_back({state.name, operand.spec, offset});
    offset += size * static_cast<std::size_t>(std::max<std::int64_t>(operand.spec.shape.numel(), 1));
  }
  const auto bytes = reinterpret_cast<unsigned long (*)()>(dlsym(library_, "bytes_of_state"));
  REQUIRE(bytes() >= offset);
  state_.resize(bytes() / sizeof(std::max_align_t) + 1);
}

Emitted::~Emitted() {
  if (library_ != nullptr) dlclose(library_);
}

void Emitted::set_state(const std::vector<NamedTensor>& state) {
  for (const auto& [name, value] : state) {
    for (const Member& member : members_) {
      if (member.name != name) continue;
      const auto& array = array_of(value);
      std::memcpy(reinterpret_cast<std::byte*>(state_.data()) + member.offset, array.buffer.data(),
                  detail::bytes_of(array.shape, array.dtype));
    }
  }
}

void Emitted::initialize() {
  const auto call = reinterpret_cast<void (*)(void*)>(dlsym(library_, "initialize_emitted"));
  REQUIRE((call != nullptr));
  call(state_.data());
}

std::vector<Tensor> Emitted::operator()(const std::vector<Tensor>& inputs) {
  std::vector<const void*> in;
  for (const Tensor& input : inputs) in.push_back(array_of(input).buffer.data());
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (const auto& result : program_.unfused()->results) {
    detail::Array array = detail::Array::uninitialized(result.spec.shape, result.spec.dtype);
    results.push_back(detail::make_constant(std::move(array)));
  }
  for (const Tensor& result : results) out.push_back(const_cast<void*>(array_of(result).buffer.data()));
  const auto call = reinterpret_cast<int (*)(const void* const*, void*, void* const*)>(dlsym(library_, "call_emitted"));
  if (call(in.data(), state_.data(), out.data()) == 0) return {};
  return results;
}

Tensor Emitted::state(const std::string& name) const {
  for (const Member& member : members_) {
    if (member.name != name) continue;
    detail::Array array = detail::Array::uninitialized(member.spec.shape, member.spec.dtype);
    std::memcpy(array.buffer.data(), reinterpret_cast<const std::byte*>(state_.data()) + member.offset,
                detail::bytes_of(array.shape, array.dtype));
    return detail::make_constant(std::move(array));
  }
  FAIL("no state is called " << name);
  return {};
}

std::vector<std::string> Emitted::state_names() const {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.name);
  return names;
}

double largest_difference(const Tensor& a, const Tensor& b, double scale) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  double largest = 0;
  detail::visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *x = array_of(a).template data<T>(), *y = array_of(b).template data<T>();
    const std::int64_t n = a.numel();
    double size = 0;
    for (std::int64_t i = 0; i < n; ++i) size = std::max(size, std::abs(static_cast<double>(y[i])));
    for (std::int64_t i = 0; i < n; ++i) {
      if (x[i] == y[i] || (x[i] != x[i] && y[i] != y[i])) continue;
      if constexpr (std::is_floating_point_v<T>) {
        const T of = std::max({std::abs(x[i]), std::abs(y[i]), static_cast<T>(scale * size)});
        const T unit = std::nextafter(of, std::numeric_limits<T>::infinity()) - of;
        largest = std::max(largest, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])) /
                                        static_cast<double>(unit));
      } else {
        largest = std::numeric_limits<double>::infinity();
      }
    }
  });
  return largest;
}

}  // namespace xtgrad::testing
