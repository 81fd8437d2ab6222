#include "tests/autograd/emit/emitted.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/emit/statements.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::testing {
namespace {

using detail::array_of;

/// Functions of C that call the emitted ones, so that they can be looked up by name.
std::string entries(const detail::ProgramSteps& steps, const EmitOptions& options, const std::string& text,
                    std::size_t number) {
  std::string arguments;
  const auto add = [&](const std::string& argument) {
    arguments += (arguments.empty() ? "" : ", ") + argument;
  };
  for (std::size_t k = 0; k < steps.inputs.size(); ++k)
    add(fmt::format("static_cast<const {}*>(in[{}])", detail::cpp_type(steps.inputs[k].spec.dtype), k));
  const bool has_state = text.find("struct State {") != std::string::npos;
  if (has_state) add(fmt::format("*static_cast<{}::State*>(state)", options.name));
  for (std::size_t k = 0; k < steps.results.size(); ++k)
    add(fmt::format("static_cast<{}*>(out[{}])", detail::cpp_type(steps.results[k].spec.dtype), k));
  const bool refuses = text.find(fmt::format("\nbool {}(", options.function)) != std::string::npos;
  const std::string call = fmt::format("{}::{}({})", options.name, options.function, arguments);
  std::string code = fmt::format(
      "\nextern \"C\" int call{}(const void* const* in, void* state, void* const* out) {{\n"
      "  static_cast<void>(in);\n  static_cast<void>(state);\n  static_cast<void>(out);\n  {}\n}}\n",
      number, refuses ? "return " + call + " ? 1 : 0;" : call + ";\n  return 1;");
  code += fmt::format("extern \"C\" unsigned long bytes{}() {{ return {}; }}\n", number,
                      has_state ? fmt::format("sizeof({}::State)", options.name) : "0");
  if (text.find("void initialize(State& state)") != std::string::npos) {
    code += fmt::format(
        "extern \"C\" void initialize{0}(void* state) {{ {1}::initialize(*static_cast<{1}::State*>(state)); "
        "}}\n",
        number, options.name);
  }
  return code;
}

bool has_member(const std::string& text, const std::string& member) {
  const std::size_t begin = text.find("struct State {");
  if (begin == std::string::npos) return false;
  const std::string members = text.substr(begin, text.find("};", begin) - begin);
  return members.find(" " + member + ";") != std::string::npos ||
         members.find(" " + member + "[") != std::string::npos;
}

}  // namespace

std::size_t EmittedLibrary::add(const Program& program, EmitOptions options) {
  const std::size_t number = files_.size();
  options.name += std::to_string(number);
  std::string text = emit_cpp(program, options);
  files_.push_back({program, options.name, text + entries(*program.unfused(), options, text, number)});
  return number;
}

void EmittedLibrary::compile(const std::string& optimization) {
  const std::filesystem::path source = folder_.path() / "emitted.cpp",
                              library = folder_.path() / "emitted.so";
  std::ofstream out(source);
  for (const File& file : files_) out << file.text << "\n";
  out.close();
  const ProgramResult compiled =
      run_program(XTGRAD_CXX, {"-std=c++17", optimization, "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
                               "-Werror", "-pedantic", "-fno-exceptions", "-fno-rtti", "-shared", "-fPIC",
                               "-o", library.string(), source.string()});
  REQUIRE_MESSAGE(compiled.exit_code == 0, compiled.err);
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library_ != nullptr);
}

EmittedLibrary::~EmittedLibrary() {
  if (library_ != nullptr) dlclose(library_);
}

void* EmittedLibrary::symbol(const std::string& stem, std::size_t number) const {
  void* found = dlsym(library_, (stem + std::to_string(number)).c_str());
  REQUIRE(found != nullptr);
  return found;
}

std::size_t EmittedLibrary::bytes_of_state(std::size_t number) const {
  return reinterpret_cast<unsigned long (*)()>(symbol("bytes", number))();
}

void EmittedLibrary::initialize(std::size_t number, void* state) const {
  reinterpret_cast<void (*)(void*)>(symbol("initialize", number))(state);
}

std::vector<Tensor> EmittedLibrary::run(std::size_t number, const std::vector<Tensor>& inputs,
                                        void* state) const {
  std::vector<const void*> in;
  for (const Tensor& input : inputs) in.push_back(array_of(input).buffer.data());
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (const auto& result : files_[number].program.unfused()->results) {
    detail::Array array = detail::Array::uninitialized(result.spec.shape, result.spec.dtype);
    out.push_back(array.buffer.data());
    results.push_back(detail::make_constant(std::move(array)));
  }
  const auto call =
      reinterpret_cast<int (*)(const void* const*, void*, void* const*)>(symbol("call", number));
  if (call(in.data(), state, out.data()) == 0) return {};
  return results;
}

Emitted::Emitted(const Program& program, const EmitOptions& options) {
  library_.add(program, options);
  library_.compile();
  std::size_t offset = 0;
  for (const detail::ProgramState& state : program.unfused()->state) {
    const auto& operand = state.before.value != detail::no_value ? state.before : state.after;
    if (operand.value == detail::no_value || !has_member(text(), detail::identifier_of(state.name))) continue;
    const std::size_t size = item_size(operand.spec.dtype);
    offset = (offset + size - 1) / size * size;
    members_.push_back({state.name, operand.spec, offset});
    offset += size * static_cast<std::size_t>(std::max<std::int64_t>(operand.spec.shape.numel(), 1));
  }
  REQUIRE(library_.bytes_of_state(0) >= offset);
  state_.resize(library_.bytes_of_state(0) / sizeof(std::max_align_t) + 1);
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

double largest_difference(const Tensor& a, const Tensor& b, double least) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  double largest = 0;
  detail::visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto *x = array_of(a).template data<T>(), *y = array_of(b).template data<T>();
    for (std::int64_t i = 0; i < a.numel(); ++i) {
      if (x[i] == y[i] || (x[i] != x[i] && y[i] != y[i])) continue;
      if constexpr (std::is_floating_point_v<T>) {
        const T of = std::max({std::abs(x[i]), std::abs(y[i]), static_cast<T>(least)});
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

double size_of(const Tensor& x) {
  double size = 0;
  detail::visit(x.dtype(), [&](auto zero) {
    const auto* elements = array_of(x).template data<decltype(zero)>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const double v = std::abs(static_cast<double>(elements[i]));
      if (v > size && v < std::numeric_limits<double>::infinity()) size = v;
    }
  });
  return size;
}

}  // namespace xtgrad::testing
