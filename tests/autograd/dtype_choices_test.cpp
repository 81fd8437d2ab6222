// What depends on the dtype is said through the table of dtypes (core/dtype_visit.h), where an added one must
// be met. "float64, or else" meets none, and the compiler says nothing: so the sources are searched for it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A dtype compared with one of the floating ones, or the element type asked whether it is one, for a choice.
const std::regex choice(R"((==|!=) *((xtgrad::)?Dtype::)?float(32|64)\b|\bfloat(32|64) *(==|!=))"
                        R"(|is_same_v<[^<>]*(<[^<>]*>)?[^<>]*, *(float|double)> *\?)");

/// Who may: those whose other branch refuses what it does not know.
const std::vector<std::string> allowed = {"training/history.cpp"};

bool is_choice(const std::string& line) {
  const std::string code = line.substr(0, line.find("//"));
  return std::regex_search(code, choice);
}

std::vector<std::string> choices_in(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE(in.good());
  std::vector<std::string> found;
  for (std::string line; std::getline(in, line);) {
    if (is_choice(line)) found.push_back(line);
  }
  return found;
}

}  // namespace

TEST_CASE("no source chooses between floating dtypes by hand") {
  const fs::path root = XTGRAD_SOURCE_DIR;
  std::size_t files = 0;
  for (const char* folder : {"autograd", "nn", "optim", "datasets", "training", "plot"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      ++files;
      const std::string name = fs::relative(entry.path(), root).generic_string();
      if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
      for (const std::string& line : choices_in(entry.path())) FAIL_CHECK(name << ": " << line);
    }
  }
  CHECK(files > 100);
}

TEST_CASE("the search for choices by hand finds those that there were") {
  for (const char* line :
       {"  const double tolerance = options.tolerance.value_or(x.dtype() == float64 ? 1e-12 : 1e-6);",
        "  return dtype == Dtype::float32 ? 4 : 8;", "  if (dtype != float32) return;",
        "  if (float64 == x.dtype()) {", "  constexpr double eps = std::is_same_v<T, float> ? 1e-6 : 1e-12;",
        "  return std::is_same_v<std::remove_cv_t<T>, double> ? 1 : 2;"}) {
    CHECK_MESSAGE(is_choice(line), line);
  }
  for (const char* line :
       {"  // as dtype == float64 would", "  if (type == IdxType::float64) return;", "  return float64;",
        "  if (dtype == int64) return;", "  static_assert(std::is_same_v<T, float>, \"for one only\");"}) {
    CHECK_MESSAGE(!is_choice(line), line);
  }
}
