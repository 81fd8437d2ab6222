#include "xtgrad/autograd/explorer/page.h"

#include <array>
#include <cstddef>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

// page_html, page_css and page_js: the files in page/, as cmake/xtgrad_explorer.cmake joins them.
#include "xtgrad_explorer.inc"

template <std::size_t N>
std::string joined(const std::string_view (&texts)[N]) {
  std::string all;
  for (const std::string_view text : texts) all += text;
  return all;
}

/// Text in HTML, quoted attributes included.
std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

/// JSON without '<', which can stand in its strings alone, so that nothing in it ends the script that holds
/// it or begins another one.
std::string harmless(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string page_with(std::string_view title, std::string_view run) {
  const std::array<std::pair<std::string_view, std::string>, 4> places{{{"{{title}}", escaped(title)},
                                                                        {"{{style}}", joined(page_css)},
                                                                        {"{{run}}", harmless(run)},
                                                                        {"{{script}}", joined(page_js)}}};
  std::string page;
  // In one pass over the template: what is put in may hold the name of a place.
  for (std::string_view rest = page_html[0]; !rest.empty();) {
    bool is_place = false;
    for (const auto& [name, content] : places) {
      if (!rest.starts_with(name)) continue;
      page += content;
      rest.remove_prefix(name.size());
      is_place = true;
    }
    if (is_place || rest.empty()) continue;
    page += rest.front();
    rest.remove_prefix(1);
  }
  return page;
}

}  // namespace xtgrad::v1::detail
