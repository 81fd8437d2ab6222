// The floors of the house: what lies below does not know what is built on it.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

/// Lines of `folder`'s sources that include something whose path begins with one of `forbidden`.
std::vector<std::string> includes_of(const std::string& folder, const std::vector<std::string>& forbidden) {
  std::vector<std::string> found;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp") continue;
    ++files;
    std::ifstream in(entry.path());
    REQUIRE(in.good());
    for (std::string line; std::getline(in, line);) {
      for (const std::string& prefix : forbidden) {
        if (line.rfind("#include \"xtgrad/" + prefix, 0) == 0) {
          found.push_back(entry.path().filename().string() + ": " + line);
        }
      }
    }
  }
  REQUIRE(files > 0);
  return found;
}

void check_none(const std::vector<std::string>& found) {
  for (const std::string& line : found) FAIL_CHECK(line);
}

/// Every header that a public header reaches, the library's and others', as its line names it.
std::set<std::string> closure_of(const std::string& header) {
  std::set<std::string> reached;
  std::vector<std::string> pending{header};
  while (!pending.empty()) {
    const std::string name = pending.back();
    pending.pop_back();
    if (!reached.insert(name).second) continue;
    const std::string prefix = "xtgrad/";
    if (name.rfind(prefix, 0) != 0) continue;
    std::ifstream in(root / name.substr(prefix.size()));
    REQUIRE_MESSAGE(in.good(), name);
    for (std::string line; std::getline(in, line);) {
      const std::string include = "#include ";
      if (line.rfind(include, 0) == 0)
        pending.push_back(line.substr(include.size() + 1, line.size() - include.size() - 2));
    }
  }
  return reached;
}

}  // namespace

TEST_CASE("the headers of every file stay light, and ask for nothing that a platform may lack") {
  for (const char* header : {"tensor", "scalar", "ops", "creation", "grad"}) {
    const std::set<std::string> reached = closure_of("xtgrad/autograd/" + std::string(header) + ".h");
    CHECK(reached.count("xtgrad/autograd/export.h") == 1);
    for (const char* heavy : {"functional", "unordered_map", "iostream", "sys/single_threaded.h"}) {
      CHECK_MESSAGE(reached.count(heavy) == 0, header << ".h reaches " << heavy);
    }
  }
  CHECK(closure_of("xtgrad/autograd/where_safe.h").count("functional") == 1);
}

TEST_CASE("core includes neither operations nor kernels, and memory nothing of the engine") {
  // op_id.h reads the registry, ops.def, for the names.
  check_none(includes_of("autograd/core", {"autograd/ops.h", "autograd/ops/", "autograd/kernels/",
                                           "autograd/sweep/", "autograd/creation.h", "autograd/grad.h"}));
  check_none(includes_of("autograd/memory", {"autograd/core/", "autograd/ops", "autograd/kernels/"}));
}

TEST_CASE("kernels know arrays, not graphs") {
  check_none(
      includes_of("autograd/kernels", {"autograd/core/node.h", "autograd/core/apply.h", "autograd/ops.h",
                                       "autograd/ops/", "autograd/sweep/", "autograd/grad.h"}));
}

TEST_CASE("autograd knows neither modules nor optimizers nor data sets, and nn no optimizers") {
  check_none(includes_of("autograd", {"nn/", "optim/", "datasets/"}));
  check_none(includes_of("nn", {"optim/", "datasets/"}));
}

TEST_CASE("the check of the floors finds an include that is there") {
  CHECK_FALSE(includes_of("autograd/sweep", {"autograd/core/"}).empty());
}
