// docs/ops.md is generated from the registry; this test is the generator, too:
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/emitted_operations.h"
#include "tests/support/looping_operations.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/vmap.h"

namespace {

using xtgrad::Tensor;
using xtgrad::detail::OpId;
using Operation = std::function<Tensor(const Tensor&)>;

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

struct Line {
  std::string name;
  std::string function;  // `mul` of mul_number
  std::string family;
  std::string kind;
};

std::string function_of(OpId id) { return std::string(xtgrad::detail::function_name(id)); }

const std::vector<Line> registry{
#define XTGRAD_PRIMITIVE(name, family) {#name, function_of(OpId::name), #family, "primitive"},
#define XTGRAD_COMPOSITE(name, family) {#name, function_of(OpId::name), #family, "composite"},
#define XTGRAD_CONSTANT(name, family) {#name, function_of(OpId::name), #family, "no gradient"},
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A function as a header declares it, without attributes, and the first sentence of what is said of it
/// there.
struct Declaration {
  std::string text;
  std::string meaning;
};

/// The first sentence of a comment, in one line and with a table's bars escaped.
std::string first_sentence(const std::string& comment) {
  std::string text = comment.substr(0, comment.find(". "));
  while (text.ends_with('.') || text.ends_with(' ')) text.pop_back();
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// What stands after a declaration that ends at `end`, behind ///<, or else before the one that begins at
/// `begin`, in lines that begin with ///.
std::string meaning_of(const std::string& header, std::size_t begin, std::size_t end) {
  const std::string rest = header.substr(end + 1, header.find('\n', end) - end - 1);
  if (const std::size_t mark = rest.find("///< "); mark != std::string::npos)
    return first_sentence(rest.substr(mark + 5));
  std::string comment;
  std::size_t line_end = header.rfind('\n', begin);
  while (line_end != std::string::npos && line_end > 0) {
    const std::size_t line_begin = header.rfind('\n', line_end - 1) + 1;
    const std::string line = header.substr(line_begin, line_end - line_begin);
    if (!line.starts_with("/// ")) break;
    comment = line.substr(4) + (comment.empty() ? "" : " ") + comment;
    line_end = line_begin - 1;
  }
  return first_sentence(comment);
}

/// Declarations of operations by the name of the function.
std::multimap<std::string, Declaration> declarations() {
  std::multimap<std::string, Declaration> found;
  std::string header = contents(root / "autograd" / "where_safe.h");
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(root / "autograd" / "functions"))
    paths.insert(entry.path());
  for (const std::filesystem::path& path : paths) header += contents(path);
  // Their parentheses keep Windows' macros off.
  for (const std::string name : {"max", "min"}) {
    const std::string shielded = "(" + name + ")(";
    header.replace(header.find(shielded), shielded.size(), " " + name + "(");
  }
  for (const std::string result : {"Tensor ", "std::vector<Tensor> ", "ValuesAndIndices ", "Slogdet ", "Lu ",
                                   "Qr ", "Eigh ", "Svd ", "VarMean ", "Unique "}) {
    const std::string start = "[[nodiscard]] " + result;
    for (std::size_t at = header.find(start); at != std::string::npos; at = header.find(start, at + 1)) {
      const std::size_t name = at + start.size();
      const std::size_t end = header.find(';', at);
      std::string text = header.substr(name, end - name);
      for (std::size_t line = text.find('\n'); line != std::string::npos; line = text.find('\n')) {
        // Behind a parenthesis a line that goes on begins without a space.
        const bool opened = line > 0 && text[line - 1] == '(';
        text.replace(line, text.find_first_not_of(" \n", line) - line, opened ? "" : " ");
      }
      found.emplace(text.substr(0, text.find('(')), Declaration{text, meaning_of(header, at, end)});
    }
  }
  return found;
}

bool takes_number(const std::string& declaration) {
  return declaration.find("Scalar number") != std::string::npos;
}

std::string page() {
  const auto functions = declarations();
  const auto is_registered = [](const std::string& name) {
    return std::any_of(registry.begin(), registry.end(), [&](const Line& line) { return line.name == name; });
  };
  std::string text =
      "# Operations\n\n"
      "Generated from `autograd/ops.def` and `autograd/functions`; a test keeps it so. Primitives have a "
      "derivative rule\n"
      "of their own, composites are built from primitives, and both have derivatives of every order. The "
      "last kind\n"
      "gives bool or integers and is never recorded. C++ says what `emit_cpp` (programs.md) writes: the "
      "value "
      "and two\n"
      "orders of derivatives, the value alone, or nothing yet. Batch says how a batch of examples runs "
      "(architecture.md):\n"
      "in one go, with all that its rule runs; in loops, example by example, which gives the same bits; in "
      "part "
      "so; or\n"
      "refused by `vmap`, which names the operation; and why. The pages of [operations](operations) have "
      "formulas, shapes,\n"
      "errors, derivatives, sources and examples: a page a family.\n\n"
      "| operation | what it gives | family | kind | C++ | batch | functions "
      "|\n|---|---|---|---|---|---|---|\n";
  for (const Line& line : registry) {
    const bool number = line.function != line.name;
    const auto [first, last] = functions.equal_range(line.function);
    std::string signatures;
    std::string meaning;
    for (auto it = first; it != last; ++it) {
      // `sub(number, x)` and the like belong to the families that take numbers, the others elsewhere.
      if (takes_number(it->second.text) != number) continue;
      // With the number first it is a family of its own, or the same as with the number last.
      const bool number_first = it->second.text.find("(Scalar number") != std::string::npos &&
                                is_registered("number_" + line.function);
      if (number && number_first != (line.name.rfind("number_", 0) == 0)) continue;
      signatures += (signatures.empty() ? "`" : "<br>`") + it->second.text + "`";
      if (meaning.empty()) meaning = it->second.meaning;
    }
    if (signatures.empty() && line.name == "cast") {
      signatures = "`Tensor::to(Dtype)`";
      meaning = "the same numbers in another dtype";
    }
    CHECK_MESSAGE(!signatures.empty(), line.name << " has no function in autograd/functions");
    CHECK_MESSAGE(!meaning.empty(), line.name << " has no line of meaning in autograd/functions");
    const int orders = xtgrad::testing::emitted_orders(line.name);
    const std::string emitted = orders < 0 ? "" : orders == 0 && line.kind != "no gradient" ? "value" : "yes";
    const xtgrad::testing::Looping looping = xtgrad::testing::looping_of(line.name);
    const std::string batch = looping.how.empty() ? "in one go" : looping.how + ": " + looping.reason;
    text += "| " + line.name + " | " + meaning + " | " + line.family + " | " + line.kind + " | " + emitted +
            " | " + batch + " | " + signatures + " |\n";
  }
  return text;
}

/// What `vmap` says of an operation on a batch of two examples.
std::string refusal_of(const Operation& operation) {
  const Tensor batch = xtgrad::tensor({{1, 0, 2}, {0, 0, 3}}, {.dtype = xtgrad::int64});
  return xtgrad::testing::message_of([&] { return xtgrad::vmap(operation)(batch); });
}

}  // namespace

TEST_CASE("vmap refuses the operations of which the page says so, and names them") {
  const std::map<std::string, Operation> refused{
      {"bincount", [](const Tensor& x) { return xtgrad::bincount(x); }},
      {"unique", [](const Tensor& x) { return xtgrad::unique(x).values; }},
      {"masked_select", [](const Tensor& x) { return xtgrad::masked_select(x, x > 0); }},
      {"nonzero", [](const Tensor& x) { return xtgrad::nonzero(x); }}};
  for (const Line& line : registry) {
    const bool said = xtgrad::testing::looping_of(line.name).how == "refused";
    CHECK_MESSAGE(said == refused.contains(line.name), line.name);
  }
  for (const auto& [name, operation] : refused) {
    const std::string message = refusal_of(operation);
    CHECK_MESSAGE(message.starts_with("vmap: " + name + "() "), message);
  }
}

TEST_CASE("the page of operations is the registry's") {
  const std::filesystem::path path = root / "docs" / "ops.md";
  const std::string expected = page();
  if (std::getenv("XTGRAD_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(contents(path) == expected,
                "docs/ops.md is out of date: XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/ writes it");
}
