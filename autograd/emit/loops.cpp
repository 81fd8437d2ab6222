#include "xtgrad/autograd/emit/loops.h"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

/// Elements between neighbours along each dimension of `full`, of an operand that broadcasts to it: 0 where
/// it is stretched.
std::vector<std::int64_t> steps_of(const Shape& operand, const Shape& full) {
  std::vector<std::int64_t> steps(full.rank());
  std::int64_t step = 1;
  for (std::size_t d = operand.rank(); d-- > 0;) {
    const std::size_t at = full.rank() - operand.rank() + d;
    steps[at] = operand[d] == 1 ? 0 : step;
    step *= operand[d];
  }
  return steps;
}

/// What one element of the group's steps sees.
class GroupElement final : public ElementText {
 public:
  GroupElement(const ProgramSteps& program, const StepGroup& group, const ValueHomes& homes, Statements& code)
      : program_(program), group_(group), homes_(homes), code_(code) {}

  void write() {
    std::vector<Shape> shapes;
    if (group_.shape) {
      for (const Broadcast& one : broadcast_operands()) shapes.push_back(one.second);
    }
    BroadcastLoops loops(group_.shape ? *group_.shape : Shape{group_.elements}, shapes);
    loops_ = &loops;
    if (group_.elements != 1) loops.open(code_);
    index_ = group_.elements != 1 ? loops.index() : "0";
    for (step_ = group_.begin; step_ < group_.end; ++step_) {
      const StepView view(step());
      text_of(*step())->element(view, *this);
    }
    // Last: a store may be to what a later step of the group reads, at the same place.
    for (const std::string& store : stores_) code_.line(store);
    if (group_.elements != 1) loops.close(code_);
  }

  Statements& code() override { return code_; }
  std::string in(std::size_t k) override {
    const ProgramOperand& operand = step().inputs[k];
    if (const auto own = own_.find(operand.value); own != own_.end()) return own->second;
    const std::int64_t n = operand.spec.shape.numel();
    const std::string index = n == group_.elements ? index_
                              : n == 1             ? "0"
                                                   : loops_->index_of(number_of(operand));
    const std::string text = homes_.element(operand.value, index);
    if (homes_.home(operand.value).kind != ValueHome::Kind::array) return text;
    auto [it, is_new] = loaded_.try_emplace(text);
    if (is_new) it->second = code_.let(cpp_type(operand.spec.dtype), text);
    return it->second;
  }
  std::string in_at(std::size_t k, std::string_view index) override {
    return homes_.element(step().inputs[k].value, index);
  }
  using ElementText::set;
  void set(std::size_t k, std::string_view expression) override {
    const ProgramOperand& output = step().outputs[k];
    if (output.value == no_value) return;
    const ValueHome& home = homes_.home(output.value);
    const std::string own_name = fmt::format("v{}", output.value);
    const bool is_own = home.kind == ValueHome::Kind::scalar && home.text == own_name;
    std::string name(expression);
    if (is_own) {
      name = own_name;
      code_.define(name, fmt::format("const {} {} = {};", cpp_type(output.spec.dtype), name, expression));
    } else if (!is_identifier(expression)) {
      name = code_.let(cpp_type(output.spec.dtype), expression);
    }
    if (home.kind == ValueHome::Kind::array || (home.kind == ValueHome::Kind::scalar && !is_own))
      stores_.push_back(fmt::format("{} = {};", homes_.element(output.value, index_), name));
    own_[output.value] = std::move(name);
  }

 private:
  using Broadcast = std::pair<ValueIndex, Shape>;

  [[nodiscard]] const ProgramStep& step() const { return program_.steps[step_]; }

  /// Operands that are neither one element nor one for each, each once.
  std::vector<Broadcast> broadcast_operands() {
    std::vector<Broadcast> found;
    for (std::size_t s = group_.begin; s < group_.end; ++s) {
      const TextOf& text = *text_of(*program_.steps[s]);
      for (std::size_t k = 0; k < program_.steps[s].inputs.size(); ++k) {
        const auto& [value, spec] = program_.steps[s].inputs[k];
        const std::int64_t n = spec.shape.numel();
        if ((text.lists >> k & 1U) != 0 || n == 1 || n == group_.elements) continue;
        found.emplace_back(value, spec.shape);
        numbers_.emplace_back(value, spec.shape);
      }
    }
    return found;
  }
  std::size_t number_of(const ProgramOperand& operand) const {
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
      if (numbers_[k].first == operand.value && numbers_[k].second == operand.spec.shape) return k;
    }
    return 0;
  }

  const ProgramSteps& program_;
  const StepGroup& group_;
  const ValueHomes& homes_;
  Statements& code_;
  BroadcastLoops* loops_ = nullptr;
  std::size_t step_ = 0;
  std::string index_;
  std::map<ValueIndex, std::string> own_;      // that the group has made
  std::map<std::string, std::string> loaded_;  // elements that have been read
  std::vector<Broadcast> numbers_;
  std::vector<std::string> stores_;
};

}  // namespace

std::string index_text(const std::vector<std::string>& names, const std::vector<std::int64_t>& steps) {
  std::string text;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (steps[k] == 0) continue;
    if (!text.empty()) text += " + ";
    text += steps[k] == 1 ? names[k] : fmt::format("{} * {}", names[k], steps[k]);
  }
  return text.empty() ? "0" : text;
}

BroadcastLoops::BroadcastLoops(const Shape& shape, const std::vector<Shape>& operands)
    : steps_(operands.size()) {
  std::vector<std::vector<std::int64_t>> by_dimension;
  for (const Shape& operand : operands) by_dimension.push_back(steps_of(operand, shape));
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) continue;
    // Whether this dimension and the loop before it are one to every operand.
    bool joins = !sizes_.empty();
    for (std::size_t k = 0; k < operands.size() && joins; ++k)
      joins = steps_[k].back() == by_dimension[k][d] * shape[d];
    if (joins) {
      sizes_.back() *= shape[d];
      for (std::size_t k = 0; k < operands.size(); ++k) steps_[k].back() = by_dimension[k][d];
    } else {
      sizes_.push_back(shape[d]);
      for (std::size_t k = 0; k < operands.size(); ++k) steps_[k].push_back(by_dimension[k][d]);
    }
  }
}

void BroadcastLoops::open(Statements& code) {
  std::vector<std::int64_t> steps(sizes_.size());
  std::int64_t step = 1;
  for (std::size_t d = sizes_.size(); d-- > 0;) {
    steps[d] = step;
    step *= sizes_[d];
  }
  for (const std::int64_t size : sizes_) {
    names_.push_back(code.fresh("i"));
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", names_.back(), size));
  }
  index_ = index_text(names_, steps);
}

void BroadcastLoops::close(Statements& code) const {
  for (std::size_t d = 0; d < sizes_.size(); ++d) code.close();
}

std::string BroadcastLoops::index_of(std::size_t k) const { return index_text(names_, steps_[k]); }

void write_elements(const ProgramSteps& program, const StepGroup& group, const ValueHomes& homes,
                    Statements& code) {
  GroupElement element(program, group, homes, code);
  element.write();
}

}  // namespace xtgrad::v1::detail
