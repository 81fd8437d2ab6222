// The gallery as a whole: its index, and that no page lacks its pictures or its chapter.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "tests/support/program.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

const fs::path root = XTGRAD_SOURCE_DIR;
const fs::path programs = fs::path(XTGRAD_EXAMPLES) / "gallery";

std::vector<std::string> page_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root / "examples/gallery")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".cpp" && name[0] >= '0' && name[0] <= '9') names.push_back(name);
  }
  return names;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

/// A link without its codes: "a b" of "a%20b".
std::string decoded(const std::string& link) {
  std::string path;
  for (std::size_t i = 0; i < link.size(); ++i) {
    const bool code = link[i] == '%';
    path += code ? static_cast<char>(std::stoi(link.substr(i + 1, 2), nullptr, 16)) : link[i];
    if (code) i += 2;
  }
  return path;
}

/// The files that an index leads to or shows, as it names them.
std::vector<std::string> links_in(const fs::path& index) {
  const std::string text = file_text(index);
  const std::regex link("(?:href|src)=\"([^\"#]+)\"");
  std::vector<std::string> links;
  for (auto found = std::sregex_iterator(text.begin(), text.end(), link); found != std::sregex_iterator();
       ++found) {
    links.push_back(decoded((*found)[1]));
  }
  return links;
}

}  // namespace

TEST_CASE("gallery: the index has every page in order, with pictures, captions and numbers") {
  const TemporaryFolder folder;
  write(
      folder.path() / "02_second.json",
      R"json({"title": "Second", "pictures": {"02_second_gone.png": "A caption"}, "numbers": {}, "left out": ["mnist"]})json");
  write(
      folder.path() / "01_first.json",
      R"json({"title": "a < b & \"c\"", "pictures": {"01_first_a.png": "Less <than> more", "more.html": "Try it"},
          "numbers": {"accuracy (%)": 97.25, "losses": [1, 0.5, null], "steps": null}, "left out": []})json");
  write(folder.path() / "measured.json", "{}");
  write(folder.path() / "01_first_a.png", "picture");
  write(folder.path() / "more.html", "page");
  const ProgramResult result = run_program(
      programs / "gallery_index", {folder.path().string(), (folder.path() / "../tutorial").string()});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const std::string text = file_text(folder.path() / "index.html");
  const auto place = [&](const std::string& what) {
    CHECK_MESSAGE(text.find(what) != std::string::npos, what);
    return text.find(what);
  };
  CHECK(place("<h2>1. a &lt; b &amp; &quot;c&quot;</h2>") < place("<h2>2. Second</h2>"));
  place("<img src=\"01_first_a.png\" alt=\"Less &lt;than&gt; more\"");
  place("<a href=\"more.html\">");
  // As the folders lie in the repository: they are there without a network.
  place("<a href=\"../tutorial/README.md\">");
  place("<a href=\"../tutorial/01_first.md\">");
  place("<td>accuracy (%)</td><td>97.25</td>");
  place("<td>losses</td><td>1, 0.5, none</td>");
  place("<td>steps</td><td>none</td>");
  place("02_second_gone.png has not been drawn here.");
  place("scripts/download_data.sh mnist");
  CHECK(text.find("http") == std::string::npos);
  CHECK(text.find("<script") == std::string::npos);
}

TEST_CASE("gallery: two runs of a page give the same files") {
  const TemporaryFolder first;
  const TemporaryFolder second;
  for (const TemporaryFolder* folder : {&first, &second}) {
    const ProgramResult result =
        run_program(programs / "04_least_squares", {"--quick", folder->path().string()});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  }
  for (const std::string name : {"04_least_squares.json", "04_least_squares_surface.png"}) {
    CHECK_MESSAGE(file_text(first.path() / name) == file_text(second.path() / name), name);
  }
}

TEST_CASE("gallery: every page has its pictures and its chapter of the tutorial, which the index names") {
  const std::string contents = file_text(root / "docs/tutorial/README.md");
  const std::vector<std::string> names = page_names();
  CHECK(names.size() == 14);
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(fs::exists(root / "docs/tutorial" / (name + ".md")));
    const fs::path notes = root / "docs/gallery" / (name + ".json");
    REQUIRE(fs::exists(notes));
    const std::string chapter = file_text(root / "docs/tutorial" / (name + ".md"));
    bool shown = false;
    const nlohmann::json noted = nlohmann::json::parse(file_text(notes));
    // One thing has one name: in the index, over the chapter, and in the tutorial's contents.
    const std::string title = noted["title"];
    CHECK(chapter.starts_with("# " + std::to_string(std::stoi(name.substr(0, 2))) + ". " + title + "\n"));
    CHECK(contents.find("[" + title + "](" + name + ".md)") != std::string::npos);
    for (const auto& picture : noted["pictures"].items()) {
      const std::string& file = picture.key();
      CHECK_MESSAGE(fs::exists(root / "docs/gallery" / file), file);
      CHECK_MESSAGE(sentences_in(picture.value().get<std::string>()) == 2, file);
      shown |= chapter.find("../gallery/" + file) != std::string::npos;
    }
    CHECK_MESSAGE(shown, "the chapter shows no picture of its page");
  }
}

TEST_CASE("gallery: a page can be read in one go, and no two parts of pages give their types one name") {
  std::map<std::string, std::string> owners;
  const std::regex type("\\n(?:struct|class) (\\w+)[^;\\n]*\\{");
  for (const auto& entry : fs::directory_iterator(root / "examples/gallery")) {
    const std::string name = entry.path().filename().string();
    const std::string text = file_text(entry.path());
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      CHECK_MESSAGE(std::count(text.begin(), text.end(), '\n') <= 150, name);
    }
    if (entry.path().extension() != ".h") continue;
    for (auto found = std::sregex_iterator(text.begin(), text.end(), type); found != std::sregex_iterator();
         ++found) {
      const auto place = owners.emplace((*found)[1], name);
      CHECK_MESSAGE(place.second,
                    place.first->first << " is in " << place.first->second << " and in " << name);
    }
  }
  CHECK(owners.contains("Page"));
}

TEST_CASE("gallery: docs/gallery/index.html is that of the notes beside it") {
  const TemporaryFolder folder;
  fs::copy(root / "docs/gallery", folder.path(), fs::copy_options::recursive);
  fs::remove(folder.path() / "index.html");
  const ProgramResult result = run_program(
      programs / "gallery_index", {folder.path().string(), (folder.path() / "../tutorial").string()});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK_MESSAGE(file_text(folder.path() / "index.html") == file_text(root / "docs/gallery/index.html"),
                "write it anew: build/release/examples/gallery/gallery_index docs/gallery");
}

TEST_CASE("gallery: wherever the index is written, what it links to is there") {
  const TemporaryFolder place;
  const fs::path tutorial = place.path() / "my #1 docs" / "tutorial";
  fs::create_directory(place.path() / "my #1 docs");
  fs::copy(root / "docs/tutorial", tutorial, fs::copy_options::recursive);
  struct Case {
    std::string folder;
    std::vector<std::string> tutorial;  // the source's own if none is named
    std::string first;                  // link to it; any if empty
  };
  for (const Case& c :
       {Case{"out/gallery", {}, ""},
        {"my #1 docs/gallery", {tutorial.string()}, "../tutorial/README.md"},
        {"out/again/gallery", {tutorial.string()}, "../../../my #1 docs/tutorial/README.md"}}) {
    CAPTURE(c.folder);
    const fs::path folder = place.path() / c.folder;
    fs::create_directories(folder.parent_path());
    fs::copy(root / "docs/gallery", folder, fs::copy_options::recursive);
    fs::remove(folder / "index.html");
    std::vector<std::string> arguments{folder.string()};
    arguments.insert(arguments.end(), c.tutorial.begin(), c.tutorial.end());
    const ProgramResult result = run_program(programs / "gallery_index", arguments);
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const std::vector<std::string> links = links_in(folder / "index.html");
    CHECK(links.size() > 100);  // of 14 chapters, and twice of each picture
    if (!c.first.empty()) CHECK(links.front() == c.first);
    for (const std::string& link : links) CHECK_MESSAGE(fs::exists(folder / link), link);
  }
  for (const std::string& link : links_in(root / "docs/gallery/index.html")) {
    CHECK_MESSAGE(fs::exists(root / "docs/gallery" / link), link);
  }
}
