// What a header declares is defined in the source of its name.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;
using testing::lines_of;
using testing::ProgramResult;
using testing::run_program;

namespace fs = std::filesystem;

/// A definition that other files can call, as nm prints it: the class that it belongs to, or its own name.
struct Definition {
  bool of_class;
  std::string name;
  std::string symbol;
};

/// "operator<<" of "xtgrad::v1::operator<<(std::ostream&, int)".
std::string operator_in(const std::string& symbol) {
  const std::size_t begin = symbol.find("operator");
  return symbol.substr(begin, symbol.find('(', begin) - begin);
}

/// "xtgrad::v1::detail::Node::origin() const" is of the class Node. Names of namespaces are in small letters.
Definition parse_symbol(std::string symbol) {
  Definition definition{false, {}, symbol};
  for (std::size_t at = symbol.find("[abi:"); at != std::string::npos; at = symbol.find("[abi:")) {
    symbol.erase(at, symbol.find(']', at) + 1 - at);
  }
  std::string name;
  for (std::size_t at = 0; at < symbol.size() && symbol[at] != '(' && symbol[at] != '<'; ++at) {
    name += symbol[at];
    if (symbol[at] != ':' || !name.ends_with("::")) continue;
    const std::string part = name.substr(0, name.size() - 2);
    if (!part.empty() && std::isupper(static_cast<unsigned char>(part[0])) != 0) {
      return {true, part, definition.symbol};
    }
    name.clear();
  }
  if (std::isupper(static_cast<unsigned char>(name[0])) != 0) return {true, name, definition.symbol};
  definition.name = name.starts_with("operator") ? operator_in(symbol) : name;
  return definition;
}

/// The text without comments.
std::string without_comments(const std::string& text) {
  static const std::regex comment(R"(//[^\n]*|/\*[^]*?\*/)");
  return std::regex_replace(text, comment, "");
}

/// True if the text of a header, without comments, defines the class, or declares the function or variable.
bool declares(const std::string& header, const Definition& definition) {
  static const std::regex special(R"([\^$.|?*+()[\]{}])");
  const std::string name = std::regex_replace(definition.name, special, "\\$&");
  const std::string pattern = definition.of_class
                                  ? "\\b(class|struct)\\b[^;{}()]*\\b" + name + "\\b[^;{}]*\\{"
                                  : "\\b" + name + "\\s*([(;={\\[]|__attribute__)";
  return std::regex_search(header, std::regex(pattern));
}

struct Exception {
  const char* source;
  const char* name;
  const char* reason;
};

const std::vector<Exception> exceptions = {
    {"autograd/sweep/gradient_store.cpp", "GradientStore",
     "declared in core/leaf_state.h, which may not know the addition that a gradient grows by"},
    {"nn/families.cpp", "mention_families_of_nn", "called by autograd, which knows no rooms above it"},
    {"optim/families.cpp", "mention_families_of_optim", "called by autograd, which knows no rooms above it"},
};

/// What is defined in `source` and not declared in the header of its name.
std::vector<std::string> strangers_in(const std::string& source, const std::string& header,
                                      const std::vector<Definition>& definitions) {
  std::vector<std::string> found;
  for (const Definition& definition : definitions) {
    if (declares(header, definition)) continue;
    const bool allowed = std::any_of(exceptions.begin(), exceptions.end(), [&](const Exception& exception) {
      return exception.source == source && exception.name == definition.name;
    });
    if (!allowed) found.push_back(source + " defines what its header does not declare: " + definition.symbol);
  }
  return found;
}

/// A header, or a folder of them, that is one for several sources, whose paths begin so.
struct CommonHeader {
  const char* sources;
  const char* header;
};
const std::vector<CommonHeader> common_headers = {{"autograd/ops/", "autograd/functions"},
                                                  {"autograd/emit/", "autograd/emit/text_table.h"},
                                                  {"autograd/testing/", "autograd/testing/subject.h"}};

std::string header_of(const std::string& source) {
  const std::string own = source.substr(0, source.size() - 4) + ".h";
  std::string text = fs::exists(source_root() / own) ? file_text(source_root() / own) : std::string();
  for (const CommonHeader& common : common_headers) {
    if (!source.starts_with(common.sources)) continue;
    const fs::path path = source_root() / common.header;
    if (!fs::is_directory(path)) text += file_text(path);
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::directory_iterator(path)) text += file_text(entry.path());
    }
  }
  return without_comments(text);
}

/// The functions that a header declares in a namespace, and does not define. Such lines are not indented.
std::set<std::string> functions_declared_in(const std::string& header) {
  static const std::regex declaration(R"((?:^|\n)(?!#|using |return )[\w\[][^;{}()=]*?\b(\w+)\([^;{}]*;)");
  std::set<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

/// Headers of functions that other sources define than the one of its name.
const std::map<std::string, std::string> headers_of_others = {
    {"autograd/testing/subject.h", "the checks of an operation, each of which has a source"},
    {"autograd/emit/text_table.h", "the texts of all families, each of which has a source"},
    {"autograd/io/on_behalf.h", "what the sources of several headers share with the functions built on them"},
    {"autograd/program_file/families.h", "what the rooms above mention, each of which has a source"},
    {"datasets/csv_records.h", "beside records, the public function of csv.h, from a reader"},
    {"datasets/idx_file.h", "beside the file's form, the public functions of idx.h, from readers"}};

/// The definitions of each of the library's objects, by the path of its source.
std::map<std::string, std::vector<Definition>> library_definitions() {
  const ProgramResult result = run_program(XTGRAD_NM, {"-A", "-C", "--defined-only", "@" XTGRAD_OBJECTS});
  REQUIRE(result.exit_code == 0);
  // "<folder>/xtgrad_objects.dir/nn/linear.cpp.o:0000000000000010 T xtgrad::v1::nn::Linear::..."
  std::map<std::string, std::vector<Definition>> found;
  const std::string before = "_objects.dir/";  // of both libraries
  for (const std::string& line : lines_of(result.out)) {
    const std::size_t begin = line.find(before) + before.size();
    const std::size_t end = line.find(".o:", begin);
    REQUIRE_MESSAGE(end != std::string::npos, line);
    const std::size_t address = line.find_first_not_of(' ', end + 3);  // llvm-nm has a space before it
    const std::size_t kind = line.find(' ', address) + 1;
    if (std::string_view("TDBR").find(line[kind]) == std::string_view::npos) continue;
    const std::string symbol = line.substr(kind + 2);
    if (!symbol.starts_with("xtgrad::") || symbol.find("(anonymous namespace)") != std::string::npos)
      continue;
    found[fs::path(line.substr(begin, end - begin)).lexically_normal().generic_string()].push_back(
        parse_symbol(symbol));
  }
  return found;
}

TEST_CASE("what a source defines for others, the header of its name declares") {
  const auto definitions = library_definitions();
  std::size_t count = 0;
  std::set<std::string> needed;
  for (const auto& [source, defined] : definitions) {
    if (!fs::exists(source_root() / source)) continue;  // an object that an older build left behind
    count += defined.size();
    check_none(strangers_in(source, header_of(source), defined));
    for (const Exception& exception : exceptions) {
      if (exception.source != source) continue;
      const bool defines = std::any_of(defined.begin(), defined.end(),
                                       [&](const Definition& d) { return d.name == exception.name; });
      if (defines) needed.insert(std::string(source) + exception.name);
    }
  }
  CHECK(count > 800);
  CHECK(needed.size() == exceptions.size());
}

TEST_CASE("what a header declares, the source of its name defines") {
  std::map<std::string, std::set<std::string>> sources_of;  // of each function
  for (const auto& [source, defined] : library_definitions()) {
    if (!fs::exists(source_root() / source)) continue;
    for (const Definition& definition : defined) {
      if (!definition.of_class) sources_of[definition.name].insert(source);
    }
  }
  std::size_t count = 0;
  std::set<std::string> needed;
  for (const std::string& header : sources_in(library_folders())) {
    if (!header.ends_with(".h")) continue;
    const std::string own = header.substr(0, header.size() - 2) + ".cpp";
    for (const std::string& name :
         functions_declared_in(without_comments(file_text(source_root() / header)))) {
      const auto sources = sources_of.find(name);
      if (sources == sources_of.end()) continue;
      ++count;
      if (sources->second.contains(own)) continue;
      // Functions by what they are about, and sources by family, what shares its rules.
      if (header.starts_with("autograd/functions/")) continue;
      if (headers_of_others.contains(header)) {
        needed.insert(header);
      } else {
        FAIL_CHECK(header << " declares " << name << ", which its source does not define");
      }
    }
  }
  CHECK(count > 400);
  CHECK(needed.size() == headers_of_others.size());
}

TEST_CASE("the search for declarations finds functions, and neither calls nor what is defined at once") {
  const std::string header =
      "#define CALL(x) f(x);\n"
      "[[nodiscard]] std::span<const int> first(int);\n"
      "void second(std::string_view what,\n            int n = size());\n"
      "inline int third(int i) {\n  return other(i);\n}\n"
      "struct S {\n  int method();\n};\n"
      "template <class T>\nvoid fourth(T);\n"
      "inline constexpr int fifth = twice(1);\n";
  CHECK(functions_declared_in(header) == std::set<std::string>{"first", "second", "fourth"});
}

TEST_CASE("the check of definitions finds a function, a method, an operator and a variable") {
  const auto stranger = [](const std::string& symbol, const std::string& header) {
    return strangers_in("autograd/x.cpp", without_comments(header), {parse_symbol(symbol)}).size();
  };
  CHECK(stranger("xtgrad::v1::detail::twice(int)", "int thrice(int);") == 1);
  CHECK(stranger("xtgrad::v1::detail::twice(int)", "int twice(int);") == 0);
  CHECK(stranger("xtgrad::v1::Pair::swap()", "class Pair;\nvoid swap(Pair&);") == 1);
  CHECK(stranger("xtgrad::v1::Pair::swap()", "class XTGRAD_LOCAL Pair final : public Two {") == 0);
  CHECK(stranger("xtgrad::v1::Pair<int>::Half::text[abi:cxx11]() const", "struct Pair {") == 0);
  CHECK(stranger("xtgrad::v1::operator<<(std::ostream&, xtgrad::v1::Pair const&)", "struct Pair {};") == 1);
  CHECK(stranger("xtgrad::v1::operator<<(std::ostream&, int)", "ostream& operator>>(ostream&, int);") == 1);
  CHECK(stranger("xtgrad::v1::operator<<(std::ostream&, int)", "ostream& operator<<(ostream&, int);") == 0);
  CHECK(stranger("xtgrad::v1::detail::state", "extern int states;") == 1);
  CHECK(stranger("xtgrad::v1::detail::state", "extern int state;") == 0);
  CHECK(stranger("xtgrad::v1::detail::table", "extern const int table[];") == 0);
  // Named, but not declared.
  CHECK(stranger("xtgrad::v1::detail::twice(int)", "int thrice(int);  // twice(i) and once") == 1);
  CHECK(stranger("xtgrad::v1::detail::twice(int)", "/* int\n twice(int); */ int thrice(int);") == 1);
  CHECK(stranger("xtgrad::v1::detail::twice(int)", "struct Thrice { twice more; };") == 1);
}

}}  // namespace xtgrad::house
