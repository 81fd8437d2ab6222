#include "xtgrad/autograd/emit/file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/emit/groups.h"
#include "xtgrad/autograd/emit/helpers.h"
#include "xtgrad/autograd/emit/homes.h"
#include "xtgrad/autograd/emit/loops.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view caller = "emit_cpp";

/// A step that is written as a whole.
class WholeStep final : public WholeText {
 public:
  WholeStep(const ProgramStep& step, ValueHomes& homes, Statements& code)
      : step_(step), homes_(homes), code_(code) {}

  Statements& code() override { return code_; }
  std::string in(std::size_t k) override { return homes_.pointer(step_.inputs.at(k).value); }
  std::string out(std::size_t k) override { return homes_.pointer(step_.outputs.at(k).value); }
  std::string scratch(Dtype dtype, std::int64_t elements) override {
    const std::string name = code_.fresh("scratch");
    code_.define(name, fmt::format("{}* const {} = {};", cpp_type(dtype), name,
                                   StaticArena::pointer(homes_.scratch(dtype, elements))));
    return name;
  }
  void refuse_if(std::string_view condition) override {
    code_.line(fmt::format("if ({}) return false;", condition));
  }

 private:
  const ProgramStep& step_;
  ValueHomes& homes_;
  Statements& code_;
};

class FileWriter {
 public:
  FileWriter(const ProgramSteps& program, const EmitOptions& options)
      : program_(program),
        options_(options),
        groups_(grouped(program, caller)),
        homes_(program, groups_, options),
        refuses_(std::any_of(groups_.begin(), groups_.end(), [](const auto& g) { return g.refuses; })) {}

  std::string write() {
    for (std::size_t g = 0; g < groups_.size(); ++g) write_group(g);
    write_ends();
    if (refuses_) body_.line("return true;");
    const std::string body = body_.text();
    std::string text = fmt::format(
        "// Written by xtgrad from a program: C++17, with <cmath> alone.\n#include <cmath>\n\n"
        "namespace {} {{\n\n",
        options_.name);
    text += state_struct();
    text += homes_.constants();
    if (!homes_.constants().empty()) text += "\n";
    if (body_.reads("arena")) text += homes_.arena().definition();
    for (const auto& [name, dtype] : body_.needed()) text += helper_text(name, dtype) + "\n";
    text += initializer();
    text += documentation() + signature() + " {\n" + unused_parameters() + body + "}\n\n";
    return text + fmt::format("}}  // namespace {}\n", options_.name);
  }

 private:
  void write_group(std::size_t g) {
    const StepGroup& group = groups_[g];
    for (std::size_t s = group.begin; s < group.end; ++s) body_.line("// " + comment_of(program_.steps[s]));
    homes_.begin_group(g, body_);
    if (group.is_whole) {
      const ProgramStep& step = program_.steps[group.begin];
      WholeStep text(step, homes_, body_);
      text_of(*step)->whole(StepView(step), text);
    } else {
      write_elements(program_, group, homes_, body_);
    }
    homes_.end_group(g);
  }

  /// A step as the program's text has it, on one line whatever its names are.
  [[nodiscard]] std::string comment_of(const ProgramStep& step) const {
    std::string text = step_text(program_, step);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\\'; }, ' ');
    return text;
  }

  void copy(const std::string& to, ValueIndex from, std::int64_t elements) {
    if (elements == 1) {
      body_.line(fmt::format("{} = {};", to, homes_.element(from, "0")));
      return;
    }
    const std::string i = body_.fresh("i");
    body_.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {3};", i, elements, to,
                           homes_.element(from, i)));
  }

  /// Results and next states that are not where they were made.
  void write_ends() {
    for (std::size_t k = 0; k < program_.results.size(); ++k) {
      if (homes_.is_written_result(k)) continue;
      const std::int64_t n = program_.results[k].spec.shape.numel();
      copy(fmt::format("result{}{}", k, n == 1 ? "[0]" : ""), program_.results[k].value, n);
    }
    // A next state that is another's value before is read before that one is written.
    struct Late {
      std::string member, kept;
      std::int64_t elements;
    };
    std::vector<Late> late;
    for (const StateMember& member : homes_.members()) {
      const ProgramState& state = program_.state[member.state];
      if (member.member.empty() || member.in_place || state.after.value == no_value ||
          state.after.value == state.before.value) {
        continue;
      }
      const std::int64_t n = member.spec.shape.numel();
      const std::string place = "state." + member.member;
      if (program_.values[state.after.value].source != ProgramValue::Source::state) {
        early_.push_back({place, state.after.value, n});
        continue;
      }
      const std::string kept = body_.fresh("kept");
      body_.line(fmt::format("{}* const {} = {};", cpp_type(member.spec.dtype), kept,
                             StaticArena::pointer(homes_.scratch(member.spec.dtype, n))));
      copy(n == 1 ? kept + "[0]" : kept, state.after.value, n);
      late.push_back({place, kept, n});
    }
    for (const auto& [place, value, n] : early_) copy(place, value, n);
    for (const auto& [place, kept, n] : late) {
      const std::string i = body_.fresh("i");
      body_.line(n == 1 ? fmt::format("{} = {}[0];", place, kept)
                        : fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {3}[{0}];", i, n, place,
                                      kept));
    }
  }

  [[nodiscard]] bool has_state() const {
    return std::any_of(homes_.members().begin(), homes_.members().end(),
                       [](const StateMember& member) { return !member.member.empty(); });
  }

  [[nodiscard]] std::string state_struct() const {
    if (!has_state()) return {};
    std::string text = "/// What is kept from one run to the next.\nstruct State {\n";
    for (const StateMember& member : homes_.members()) {
      if (member.member.empty()) continue;
      const std::int64_t n = member.spec.shape.numel();
      text += fmt::format("  {} {}{};  // {}\n", cpp_type(member.spec.dtype), member.member,
                          n == 1 ? "" : fmt::format("[{}]", std::max<std::int64_t>(n, 1)),
                          to_string(member.spec.shape));
    }
    return text + "};\n\n";
  }

  /// Where some member has a value.
  [[nodiscard]] std::string initializer() const {
    bool any = false;
    for (const StateMember& member : homes_.members())
      any = any || (!member.member.empty() && member.value != nullptr);
    if (!any) return {};
    std::string arrays, body;
    for (const StateMember& member : homes_.members()) {
      if (member.member.empty()) continue;
      const std::int64_t n = member.spec.shape.numel();
      const std::string name = "initial_" + member.member;
      if (member.value == nullptr) {
        body += n == 1 ? fmt::format("  state.{} = 0;\n", member.member)
                       : fmt::format("  for (int i = 0; i < {}; ++i) state.{}[i] = 0;\n", n, member.member);
        continue;
      }
      arrays += array_definition(name, member.spec, array_of(*member.value).buffer.data());
      body += n == 1 ? fmt::format("  state.{} = {}[0];\n", member.member, name)
                     : fmt::format("  for (int i = 0; i < {0}; ++i) state.{1}[i] = {2}[i];\n", n,
                                   member.member, name);
    }
    return arrays +
           "\n/// The state to begin with; what had no value is 0.\nvoid initialize(State& state) {\n" +
           body + "}\n\n";
  }

  [[nodiscard]] std::string documentation() const {
    std::string text;
    for (std::size_t k = 0; k < program_.inputs.size(); ++k)
      text += fmt::format("/// in{}: {}\n", k, to_string(program_.inputs[k].spec.shape));
    for (std::size_t k = 0; k < program_.results.size(); ++k)
      text += fmt::format("/// result{}: {}\n", k, to_string(program_.results[k].spec.shape));
    if (refuses_) text += "/// False where an element is refused: then the state is as it was.\n";
    return text;
  }

  [[nodiscard]] std::string signature() const {
    std::vector<std::string> parameters;
    for (std::size_t k = 0; k < program_.inputs.size(); ++k)
      parameters.push_back(
          fmt::format("const {}* __restrict in{}", cpp_type(program_.inputs[k].spec.dtype), k));
    if (has_state()) parameters.emplace_back("State& __restrict state");
    for (std::size_t k = 0; k < program_.results.size(); ++k)
      parameters.push_back(
          fmt::format("{}* __restrict result{}", cpp_type(program_.results[k].spec.dtype), k));
    return fmt::format("{} {}({})", refuses_ ? "bool" : "void", options_.function,
                       fmt::join(parameters, ", "));
  }

  /// Parameters that the body does not mention, so that no compiler warns of them.
  [[nodiscard]] std::string unused_parameters() const {
    std::string text;
    const auto mention = [&](const std::string& name) {
      if (!body_.reads(name)) text += fmt::format("  static_cast<void>({});\n", name);
    };
    for (std::size_t k = 0; k < program_.inputs.size(); ++k) mention(fmt::format("in{}", k));
    if (has_state()) mention("state");
    for (std::size_t k = 0; k < program_.results.size(); ++k) mention(fmt::format("result{}", k));
    return text;
  }

  struct Early {
    std::string place;
    ValueIndex value;
    std::int64_t elements;
  };

  const ProgramSteps& program_;
  const EmitOptions& options_;
  std::vector<StepGroup> groups_;
  ValueHomes homes_;
  bool refuses_;
  Statements body_;
  std::vector<Early> early_;
};

}  // namespace

std::string emitted_file(const ProgramSteps& program, const EmitOptions& options) {
  return FileWriter(program, options).write();
}

}  // namespace xtgrad::v1::detail
