// Code in the documentation is quoted from the sources, and this test holds it to them.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), "cannot read " << path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Snippet {
  std::string document;
  std::string source;  // named in the marker before the block
  std::string text;
};

/// Blocks that follow a line `<!-- from: path -->`.
std::vector<Snippet> snippets_of(const std::filesystem::path& document) {
  std::vector<Snippet> found;
  std::istringstream lines(contents(document));
  std::string line;
  const std::string marker = "<!-- from: ";
  while (std::getline(lines, line)) {
    if (line.rfind(marker, 0) != 0) continue;
    Snippet snippet{
        document.filename().string(), line.substr(marker.size(), line.find(" -->") - marker.size()), {}};
    std::getline(lines, line);
    REQUIRE_MESSAGE(line.rfind("```", 0) == 0, document << ": a marker without a block: " << snippet.source);
    while (std::getline(lines, line) && line != "```") snippet.text += line + "\n";
    found.push_back(std::move(snippet));
  }
  return found;
}

}  // namespace

TEST_CASE("every quoted snippet stands in its source, letter by letter") {
  std::vector<std::filesystem::path> documents{root / "README.md", root / "CONTRIBUTING.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  std::size_t count = 0;
  for (const auto& document : documents) {
    for (const Snippet& snippet : snippets_of(document)) {
      CAPTURE(snippet.document);
      CAPTURE(snippet.source);
      CAPTURE(snippet.text);
      CHECK(contents(root / snippet.source).find(snippet.text) != std::string::npos);
      ++count;
    }
  }
  CHECK(count >= 6);
}
