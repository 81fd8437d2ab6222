#if defined(XTGRAD_HAS_CAIRO) && defined(XTGRAD_EXAMPLES)

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/plot/pages.h"

using namespace xtgrad::testing;

namespace {

/// The names of what the program draws, twice, to the same bytes.
std::set<std::string> drawn_by(const std::string& name) {
  const Folder folder;
  const fs::path program = fs::path(XTGRAD_EXAMPLES) / name;
  for (const std::string run : {"first", "second"}) {
    const ProgramResult result = run_program(program, {(folder / run).string()});
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
  }
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "first")) {
    const std::string file = entry.path().filename().string();
    CAPTURE(file);
    names.insert(file);
    CHECK(file_text(entry.path()) == file_text(folder / "second" / file));
    if (file.ends_with(".svg")) CHECK(is_well_formed(file_text(entry.path())));
    if (file.ends_with(".png")) CHECK(Image(entry.path()).width >= 1040);
  }
  CHECK(run_program(program, {}).exit_code == 2);
  const ProgramResult refused = run_program(program, {"/dev/null/folder"});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, name + ": "));
  return names;
}

}  // namespace

TEST_CASE("the gallery has every kind of picture of a training, the same each time") {
  CHECK(drawn_by("plot_gallery").size() == 21);
}

TEST_CASE("the pictures of docs/plot.md are all that its program draws, the same each time") {
  std::set<std::string> shown;
  for (const auto& entry : fs::directory_iterator(fs::path(XTGRAD_SOURCE_DIR) / "docs/images/plot")) {
    const std::string name = entry.path().filename().string();
    shown.insert(name);
    CHECK(contains(file_text(fs::path(XTGRAD_SOURCE_DIR) / "docs/plot.md"), "images/plot/" + name));
  }
  CHECK(drawn_by("plot_page") == shown);
}

#endif
