#include "tests/random_programs/rows.h"

#include <cctype>
#include <sstream>
#include <stdexcept>

#include "tests/random_programs/prelude.h"
#include "xtgrad/autograd/where_safe.h"

namespace xtgrad::random_programs {
namespace {

Operand parse_operand(const std::string& text) {
  std::istringstream words(text);
  Operand operand;
  words >> operand.shape;
  if (operand.shape == "mask" || operand.shape == "index") {
    operand.role = operand.shape == "mask" ? Role::mask : Role::index;
    if (!(words >> operand.shape)) throw std::invalid_argument("no shape in " + text);
  }
  bool avoids = false;
  for (std::string word; words >> word;) {
    if (word == "in") {
      std::pair<double, double> range;
      if (!(words >> range.first >> range.second)) throw std::invalid_argument("no range in " + text);
      operand.range = range;
    } else if (word == "apart") {
      operand.apart = true;
    } else if (word == "notwhole") {
      operand.not_whole = true;
    } else if (word == "nothalf") {
      operand.not_half = true;
    } else if (word == "not") {
      avoids = true;
    } else if (word[0] == '<') {
      operand.below = std::stoll(word.substr(1));
    } else if (avoids) {
      operand.avoid.push_back(std::stod(word));
    } else {
      throw std::invalid_argument("what is \"" + word + "\" in " + text);
    }
  }
  if (operand.shape.empty()) throw std::invalid_argument("no shape in " + text);
  return operand;
}

bool is_of_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

}  // namespace

std::vector<Operand> parse_operands(std::string_view text) {
  std::vector<Operand> operands;
  std::istringstream parts{std::string(text)};
  for (std::string part; std::getline(parts, part, ';');) operands.push_back(parse_operand(part));
  return operands;
}

std::string replace_words(std::string_view text,
                          const std::function<std::optional<std::string>(std::string_view)>& replacement) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_of_word(text[end])) ++end;
    if (end == at) {
      result += text[at++];
      continue;
    }
    const std::string_view word = text.substr(at, end - at);
    const bool is_member = at > 0 && text[at - 1] == '.';
    const std::optional<std::string> other = is_member ? std::nullopt : replacement(word);
    result += other ? *other : std::string(word);
    at = end;
  }
  return result;
}

bool Row::uses(std::string_view word) const {
  bool found = false;
  static_cast<void>(replace_words(cpp, [&](std::string_view each) -> std::optional<std::string> {
    found = found || each == word;
    return std::nullopt;
  }));
  return found;
}

// Names one by one, for lambdas of the expressions capture them, which clang 14 lets no structured binding
// be.
#define XTGRAD_STEP(op, operands, python, ...)                                                           \
  table.push_back({#op, parse_operands(operands), python, #__VA_ARGS__, [](const Call& call) -> Tensor { \
                     [[maybe_unused]] const Tensor &a = call.a, &b = call.b, &c = call.c, &d = call.d;   \
                     [[maybe_unused]] const std::int64_t axis = call.axis, n = call.n, k = call.k;       \
                     [[maybe_unused]] const double p = call.p;                                           \
                     [[maybe_unused]] const Shape& shape = call.shape;                                   \
                     [[maybe_unused]] const Dtype dtype = call.dtype;                                    \
                     return __VA_ARGS__;                                                                 \
                   }});

const std::vector<Row>& all_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> table;
#define STEP(op, operands, python, ...) XTGRAD_STEP(op, operands, python, __VA_ARGS__)
#define SAME(op, operands, ...) XTGRAD_STEP(op, operands, #__VA_ARGS__, __VA_ARGS__)
#define NO_STEP(op, reason)
#include "tests/random_programs/steps.def"
#undef NO_STEP
#undef SAME
#undef STEP
    return table;
  }();
  return rows;
}

const std::vector<NoStep>& without_rows() {
  static const std::vector<NoStep> all{
#define STEP(op, operands, python, ...)
#define SAME(op, operands, ...)
#define NO_STEP(op, reason) {#op, reason},
#include "tests/random_programs/steps.def"
#undef NO_STEP
#undef SAME
#undef STEP
  };
  return all;
}

const Row& row_of(std::string_view cpp) {
  for (const Row& row : all_rows()) {
    if (row.cpp == cpp) return row;
  }
  throw std::invalid_argument("steps.def has no expression " + std::string(cpp));
}

const Row& fit_row() {
  static const Row row = [] {
    std::vector<Row> table;
    XTGRAD_STEP(take, "*", "fit(a, shape, k)", fit(a, shape, k))
    return table[0];
  }();
  return row;
}

}  // namespace xtgrad::random_programs
