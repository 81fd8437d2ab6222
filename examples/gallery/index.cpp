// gallery_index FOLDER [TUTORIAL]: writes FOLDER/index.html of the notes that the pages have left there, with
// links to the chapters in TUTORIAL, the source's docs/tutorial if it is not named.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

/// A path as a link has it: what means something else there by its code.
std::string link(const fs::path& path) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string text;
  for (const char c : path.generic_string()) {
    text += std::strchr(plain, c) != nullptr ? std::string(1, c)
                                             : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

/// No script and no other file's style: it can be read without a network.
constexpr const char* style = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>xtgrad: gallery</title>
<style>
body { max-width: 60rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #222; background: #fff; }
h1 { margin-bottom: 0; }
h2 { margin: 3rem 0 0.5rem; border-top: 1px solid #ddd; padding-top: 1rem; }
nav ol { columns: 20rem; padding-left: 1.5rem; }
a { color: #0b5394; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; border: 1px solid #eee; }
figcaption { max-width: 46rem; }
code, td { font-size: 0.9rem; }
td { padding: 0 1rem 0 0; vertical-align: top; border-top: 1px solid #eee; }
td + td { font-variant-numeric: tabular-nums; }
.absent { color: #666; font-style: italic; }
</style>
</head>
<body>
<h1>xtgrad: gallery</h1>
)";
constexpr const char* introduction =
    R"(<p>What deep learning is made of, each in a program of 100 to 150 lines, beside the pieces that they share. <code>scripts/gallery.sh</code> draws it all, and <a href="{}/README.md">the tutorial</a> explains it.</p>
)";

/// 4 for "04_least_squares".
int number_of(const std::string& name) { return std::stoi(name.substr(0, 2)); }

std::string figure(const fs::path& folder, const std::string& file, const std::string& caption) {
  std::string text = "<figure>\n";
  if (!fs::exists(folder / file)) {
    text += fmt::format("<p class=\"absent\">{} has not been drawn here.</p>\n", escaped(file));
  } else if (file.ends_with(".html")) {
    text += fmt::format("<p><a href=\"{0}\">Open {0}</a></p>\n", escaped(file));
  } else {
    text += fmt::format("<a href=\"{0}\"><img src=\"{0}\" alt=\"{1}\" loading=\"lazy\"></a>\n", escaped(file),
                        escaped(caption));
  }
  return text + fmt::format("<figcaption>{}</figcaption>\n</figure>\n", escaped(caption));
}

std::string shown(const ordered_json& value) {
  if (value.is_null()) return "none";
  if (!value.is_array()) return fmt::format("{:.6g}", value.get<double>());
  std::string text;
  for (const ordered_json& number : value) {
    if (!text.empty()) text += ", ";
    text += number.is_null() ? "none" : fmt::format("{:.4g}", number.get<double>());
  }
  return text;
}

std::string section(const fs::path& folder, const std::string& tutorial, const std::string& name,
                    const ordered_json& notes) {
  std::string text = fmt::format(
      "<section id=\"{0}\">\n<h2>{2}. {1}</h2>\n<p><code>examples/gallery/{0}.cpp</code>, <a "
      "href=\"{3}/{0}.md\">chapter {2}</a></p>\n",
      name, escaped(notes.at("title").get<std::string>()), number_of(name), tutorial);
  for (const auto& [file, caption] : notes.at("pictures").items()) {
    text += figure(folder, file, caption.get<std::string>());
  }
  for (const ordered_json& data : notes.at("left out")) {
    text += fmt::format("<p class=\"absent\">What needs {0} was left out: scripts/download_data.sh {0}</p>\n",
                        data.get<std::string>());
  }
  if (!notes.at("numbers").empty()) {
    text += "<details><summary>In numbers</summary>\n<table>\n";
    for (const auto& [key, value] : notes.at("numbers").items()) {
      text += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escaped(key), shown(value));
    }
    text += "</table>\n</details>\n";
  }
  return text + "</section>\n";
}

void write_index(const fs::path& folder, const fs::path& tutorial_folder) {
  const std::string tutorial = link(fs::relative(tutorial_folder, folder));
  std::set<std::string> names;  // in the order of their numbers
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".json" && name != "measured") names.insert(name);
  }
  std::string contents = "<nav>\n<ol>\n";
  std::string sections;
  for (const std::string& name : names) {
    std::ifstream in(folder / (name + ".json"));
    const ordered_json notes = ordered_json::parse(in);
    contents += fmt::format("<li value=\"{}\"><a href=\"#{}\">{}</a></li>\n", number_of(name), name,
                            escaped(notes.at("title").get<std::string>()));
    sections += section(folder, tutorial, name, notes);
  }
  xtgrad::write_file_atomically((folder / "index.html").string(),
                                style + fmt::format(introduction, tutorial) + contents + "</ol>\n</nav>\n" +
                                    sections + "</body>\n</html>\n");
  fmt::print("{}: {} pages\n", (folder / "index.html").string(), names.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: gallery_index FOLDER [TUTORIAL]\n");
    return 2;
  }
  try {
    write_index(argv[1], argc == 3 ? argv[2] : XTGRAD_TUTORIAL);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gallery_index: {}\n", error.what());
    return 1;
  }
}
