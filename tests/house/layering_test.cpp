// The floors of the house: what lies below does not know what is built on it.
#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;
using testing::lines_of;

/// Lines of `folder`'s sources that include something whose path begins with one of `forbidden`.
std::vector<std::string> includes_of(const std::string& folder, const std::vector<std::string>& forbidden) {
  std::vector<std::string> found;
  for (const std::string& file : sources_in({folder})) {
    for (const std::string& line : lines_of(file_text(source_root() / file))) {
      for (const std::string& prefix : forbidden) {
        if (line.starts_with("#include \"xtgrad/" + prefix)) found.push_back(file + ": " + line);
      }
    }
  }
  return found;
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
    // The umbrella alone stands in the include folder itself.
    const std::string file = name == "xtgrad/xtgrad.h" ? "include/" + name : name.substr(prefix.size());
    for (const std::string& line : lines_of(file_text(source_root() / file))) {
      const std::string include = "#include ";
      if (line.rfind(include, 0) == 0)
        pending.push_back(line.substr(include.size() + 1, line.size() - include.size() - 2));
    }
  }
  return reached;
}

/// "core" of "autograd/core/node.h", empty for what lies in autograd/ itself and outside of it.
std::string room_of(const std::string& path) {
  const std::string before = "autograd/";
  const std::size_t slash = path.find('/', before.size());
  if (!path.starts_with(before) || slash == std::string::npos) return {};
  return path.substr(before.size(), slash - before.size());
}

/// The rooms that each room's sources include.
std::map<std::string, std::set<std::string>> rooms_below() {
  static const std::regex include("#include \"xtgrad/([^\"]+)\"");
  std::map<std::string, std::set<std::string>> below;
  for (const std::string& file : sources_in({"autograd"})) {
    const std::string room = room_of(file);
    if (room.empty()) continue;
    std::set<std::string>& rooms = below[room];
    const std::string text = file_text(source_root() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
      const std::string other = room_of((*it)[1]);
      if (!other.empty() && other != room) rooms.insert(other);
    }
  }
  return below;
}

/// The rooms of autograd as docs/architecture.md draws them: those of each floor, the highest first.
std::vector<std::set<std::string>> drawn_floors() {
  const std::string page = file_text(source_root() / "docs/architecture.md");
  const std::size_t begin = page.find("autograd/*.h ");
  constexpr std::size_t names = 49;  // of columns, before the words about them
  std::vector<std::set<std::string>> floors;
  for (const std::string& line : lines_of(page.substr(begin, page.find("```", begin) - begin))) {
    if (!line.starts_with("  ") || line[2] == ' ') continue;
    std::istringstream rooms(line.substr(0, names));
    floors.emplace_back(std::istream_iterator<std::string>(rooms), std::istream_iterator<std::string>());
  }
  return floors;
}

TEST_CASE("docs/architecture.md draws every room of autograd, above those that it stands on") {
  std::map<std::string, std::set<std::string>> rooms = rooms_below();
  std::set<std::string> lower;
  const std::vector<std::set<std::string>> floors = drawn_floors();
  for (auto floor = floors.rbegin(); floor != floors.rend(); ++floor) {
    for (const std::string& room : *floor) {
      CAPTURE(room);
      REQUIRE(rooms.contains(room));
      for (const std::string& below : rooms.at(room)) CHECK_MESSAGE(lower.contains(below), below);
      rooms.erase(room);
    }
    lower.insert(floor->begin(), floor->end());
  }
  for (const auto& [room, below] : rooms) FAIL_CHECK(room << " is not drawn");
}

TEST_CASE("rooms of autograd include those below them, as docs/architecture.md draws them, and no others") {
  const std::map<std::string, std::set<std::string>> expected = {
      {"memory", {}},
      {"core", {"memory"}},
      {"kernels", {"core", "memory"}},
      {"formulas", {"core", "kernels"}},
      {"functions", {}},
      {"ops", {"core", "formulas", "functions", "kernels", "memory"}},
      {"sweep", {"core", "memory", "ops"}},
      {"replay", {"core", "memory"}},
      {"program", {"core", "kernels", "observe"}},
      {"emit", {"core", "formulas", "kernels", "program"}},
      {"observe", {"core", "memory"}},
      {"io", {"core"}},
      {"program_file", {"core", "io", "program"}},
      {"check", {}},
      {"explorer", {}},
      {"testing", {"core", "memory"}}};
  for (const auto& [room, rooms] : rooms_below()) {
    const auto& shown_room = room;
    CAPTURE(shown_room);
    REQUIRE(expected.contains(room));
    CHECK(rooms == expected.at(room));
  }
  CHECK(rooms_below().size() == expected.size());
}

TEST_CASE("no way leads from core to operations or kernels, be it through a public header") {
  for (const std::string& file : sources_in({"autograd/core"})) {
    CAPTURE(file);
    for (const std::string& header : closure_of("xtgrad/" + file)) {
      CHECK_FALSE(header.starts_with("xtgrad/autograd/ops.h"));
      CHECK_FALSE(header.starts_with("xtgrad/autograd/ops/"));
      CHECK_FALSE(header.starts_with("xtgrad/autograd/kernels/"));
    }
  }
}

TEST_CASE("the headers of every file stay light, and ask for nothing that a platform may lack") {
  for (const char* header : {"tensor", "scalar", "ops", "creation", "grad"}) {
    const std::set<std::string> reached = closure_of("xtgrad/autograd/" + std::string(header) + ".h");
    CHECK(reached.count("xtgrad/autograd/export.h") == 1);
    for (const char* heavy : {"functional", "unordered_map", "iostream", "sys/single_threaded.h"}) {
      CHECK_MESSAGE(reached.count(heavy) == 0, header << ".h reaches " << heavy);
    }
  }
  const std::set<std::string> all = closure_of("xtgrad/xtgrad.h");
  for (const char* heavy :
       {"functional", "algorithm", "unordered_map", "iostream", "sys/single_threaded.h"}) {
    CHECK_MESSAGE(all.count(heavy) == 0, "xtgrad.h reaches " << heavy);
  }
  // They are found where they are.
  CHECK(closure_of("xtgrad/datasets/prefetch.h").count("functional") == 1);
}

TEST_CASE("core knows no function of the engine") {
  check_none(includes_of("autograd/core", {"autograd/creation.h", "autograd/grad.h"}));
}

TEST_CASE("kernels know arrays, not graphs") {
  check_none(
      includes_of("autograd/kernels", {"autograd/core/node.h", "autograd/core/apply.h", "autograd/ops.h",
                                       "autograd/ops/", "autograd/sweep/", "autograd/grad.h"}));
}

TEST_CASE(
    "autograd knows neither modules nor optimizers nor data sets, nn no optimizers, and none training or "
    "plot") {
  check_none(includes_of("autograd", {"nn/", "optim/", "datasets/", "training/", "plot/"}));
  check_none(includes_of("nn", {"optim/", "datasets/", "training/", "plot/"}));
  check_none(includes_of("optim", {"datasets/", "training/", "plot/"}));
  check_none(includes_of("datasets", {"nn/", "optim/", "training/", "plot/"}));
  check_none(includes_of("training", {"plot/"}));
}

TEST_CASE("pictures know autograd's public headers alone, and Cairo has one room") {
  std::vector<std::string> forbidden{"nn/", "optim/", "datasets/", "training/"};
  for (const auto& [room, below] : rooms_below()) {
    if (room != "io") forbidden.push_back("autograd/" + room + "/");
  }
  check_none(includes_of("plot", forbidden));
  for (const std::string& file : sources_in({"plot"})) {
    const bool knows = file_text(source_root() / file).find("#include <cairo.h>") != std::string::npos;
    CHECK_MESSAGE(knows == (file == "plot/cairo.cpp"), file);
  }
}

TEST_CASE("the check of the floors finds an include that is there") {
  CHECK_FALSE(includes_of("autograd/sweep", {"autograd/core/"}).empty());
}

}}  // namespace xtgrad::house
