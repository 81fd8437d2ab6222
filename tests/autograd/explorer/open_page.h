// The explorer's page of a run, open in a headless browser.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/support/browser.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/explore.h"

namespace xtgrad::inline v1::testing {

/// A page in a browser.
class OpenPage {
 public:
  explicit OpenPage(const ProgramRun& run, const ExploreOptions& options = {},
                    std::pair<int, int> size = {1280, 800}, const std::string& hash = "")
      : browser_(chromium(), folder_.path() / "profile", size.first, size.second) {
    const std::filesystem::path file = folder_.path() / "page.html";
    explore(run, file.string(), options);
    browser_.open(file.string() + hash);
    settle();
  }

  /// Until what was asked for is drawn.
  void settle() {
    browser_.evaluate(
        "(async () => { for (let i = 0; i < 3; ++i) await new Promise(requestAnimationFrame); })()");
  }
  /// Until a JavaScript expression is true: for what the page does in its own time.
  void wait_for(const std::string& expression) {
    browser_.evaluate("(async () => { while (!(" + expression +
                      ")) await new Promise(requestAnimationFrame); })()");
    settle();
  }
  nlohmann::json evaluate(const std::string& expression) { return browser_.evaluate(expression); }
  void press(const std::string& key) {
    browser_.press(key);
    settle();
  }
  /// Keys of a text, one after the other.
  void type(const std::string& text) {
    for (const char c : text) browser_.press(std::string(1, c));
    settle();
  }
  /// The middle of an element, by a CSS selector, if that is what lies on top there.
  void click(const std::string& selector, double x = 0.5, double y = 0.5) {
    CAPTURE(selector);
    const nlohmann::json at = browser_.evaluate(
        "(async () => { const it = document.querySelector(" + nlohmann::json(selector).dump() +
        "); if (it === null) return null; it.scrollIntoView({ block: 'nearest', behavior: 'instant' });"
        "for (let i = 0; i < 2; ++i) await new Promise(requestAnimationFrame);"
        "const box = it.getBoundingClientRect(), x = box.x + box.width * " +
        std::to_string(x) + ", y = box.y + box.height * " + std::to_string(y) +
        "; return { x, y, seen: it.contains(document.elementFromPoint(x, y)) }; })()");
    REQUIRE_FALSE(at.is_null());
    CHECK(at["seen"].get<bool>());
    browser_.click(at["x"], at["y"]);
    settle();
  }
  std::string text(const std::string& selector) {
    const nlohmann::json found =
        browser_.evaluate("(() => { const it = document.querySelector(" + nlohmann::json(selector).dump() +
                          "); return it === null ? null : it.textContent; })()");
    return found.is_null() ? "(nothing)" : found.get<std::string>();
  }
  int count(const std::string& selector) {
    return browser_.evaluate("document.querySelectorAll(" + nlohmann::json(selector).dump() + ").length");
  }
  int step() { return browser_.evaluate("Number(document.body.dataset.step)"); }

 private:
  TemporaryFolder folder_;
  Browser browser_;
};

}  // namespace xtgrad::v1::testing
