#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "tests/support/browser.h"
#include "tests/support/skip.h"

using namespace xtgrad;

namespace {

using Numbers = std::vector<double>;

double sigmoid_of(double z) { return 1 / (1 + std::exp(-z)); }

/// The way forward and the way back in plain loops: values by name, derivatives of C by "∂C/∂name".
std::map<std::string, Numbers> by_hand() {
  const Numbers x{1, 0.5};
  const Numbers w1{0.4, -0.6, 0.7, 0.2};
  const Numbers b1{0.1, -0.3};
  const Numbers w2{0.5, -0.8, -0.4, 0.9};
  const Numbers b2{0.2, 0.1};
  const Numbers y{1, 0};
  Numbers s1(2), z1(2), a1(2), s2(2), z2(2), a2(2), e(2), q(2);
  for (std::size_t i = 0; i < 2; ++i) {
    s1[i] = w1[2 * i] * x[0] + w1[2 * i + 1] * x[1];
    z1[i] = s1[i] + b1[i];
    a1[i] = sigmoid_of(z1[i]);
  }
  for (std::size_t k = 0; k < 2; ++k) {
    s2[k] = w2[2 * k] * a1[0] + w2[2 * k + 1] * a1[1];
    z2[k] = s2[k] + b2[k];
    a2[k] = sigmoid_of(z2[k]);
    e[k] = y[k] - a2[k];
    q[k] = e[k] * e[k];
  }
  const double total = q[0] + q[1];

  Numbers delta1(2), delta2(2), to_a1(2), to_x(2), to_w1(4), to_w2(4);
  for (std::size_t k = 0; k < 2; ++k) delta2[k] = (a2[k] - y[k]) * a2[k] * (1 - a2[k]);
  for (std::size_t i = 0; i < 2; ++i) {
    to_a1[i] = w2[i] * delta2[0] + w2[2 + i] * delta2[1];
    delta1[i] = to_a1[i] * a1[i] * (1 - a1[i]);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    to_x[i] = w1[i] * delta1[0] + w1[2 + i] * delta1[1];
    for (std::size_t j = 0; j < 2; ++j) {
      to_w1[2 * i + j] = delta1[i] * x[j];
      to_w2[2 * i + j] = delta2[i] * a1[j];
    }
  }
  return {{"x", x},           {"W₁", w1},
          {"b₁", b1},         {"W₂", w2},
          {"b₂", b2},         {"y", y},
          {"s₁", s1},         {"z₁", z1},
          {"a₁", a1},         {"s₂", s2},
          {"z₂", z2},         {"a₂", a2},
          {"e", e},           {"q", q},
          {"S", {total}},     {"C", {total / 2}},
          {"∂C/∂x", to_x},    {"∂C/∂W₁", to_w1},
          {"∂C/∂b₁", delta1}, {"∂C/∂W₂", to_w2},
          {"∂C/∂b₂", delta2}, {"∂C/∂y", e},
          {"∂C/∂s₁", delta1}, {"∂C/∂z₁", delta1},
          {"∂C/∂a₁", to_a1},  {"∂C/∂s₂", delta2},
          {"∂C/∂z₂", delta2}, {"∂C/∂a₂", {-e[0], -e[1]}},
          {"∂C/∂e", e},       {"∂C/∂q", {0.5, 0.5}},
          {"∂C/∂S", {0.5}},   {"∂C/∂C", {1}}};
}

double ulp(double value) {
  const double size = std::abs(value);
  return std::nextafter(size, std::numeric_limits<double>::infinity()) - size;
}

const std::array<const char*, 6> given{"x", "W₁", "b₁", "W₂", "b₂", "y"};
const std::array<const char*, 10> computed{"s₁", "z₁", "a₁", "s₂", "z₂", "a₂", "e", "q", "S", "C"};

/// What stands between two texts in a third.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t to = text.find(end, from);
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

nlohmann::json graph_in(const std::string& html) {
  return nlohmann::json::parse(between(html, "<script id=\"data\" type=\"application/json\">", "</script>"));
}

Numbers flat(const nlohmann::json& rows) {
  Numbers numbers;
  for (const nlohmann::json& row : rows) {
    for (const nlohmann::json& number : row) numbers.push_back(number.get<double>());
  }
  return numbers;
}

/// A user at the keyboard and the mouse. After each thing that is done it notes the step, the heading and the
/// names of the marked nodes.
const char* const user = R"(<script>
const seen = [];
const note = (what) => seen.push([what, Number(document.body.dataset.step), document.getElementById("operation").textContent,
  [...document.querySelectorAll(".node.shown .name")].map((t) => t.textContent).join("+"),
  document.getElementById("live").textContent]);
const press = (key, target) => {
  (target || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  note("key " + key);
};
const click = (id) => { document.getElementById(id).click(); note("button " + id); };
const node = (name) => [...document.querySelectorAll(".node")].find((g) => g.querySelector(".name").textContent.startsWith(name));
const clickNode = (name) => { node(name).dispatchEvent(new MouseEvent("click", { bubbles: true })); note("node " + name); };
note("opened");
press("ArrowRight"); press("ArrowDown"); press("ArrowLeft"); press("ArrowUp"); press("ArrowLeft");
press("End"); press("ArrowRight"); press("Home");
click("next"); click("previous"); click("last"); click("first");
clickNode("z₂ ="); clickNode("W₁"); press("ArrowRight"); click("last"); clickNode("z₂ ="); press("Enter", node("a₁ ="));
press(" "); press(" "); press("Home");
press(" ");
setTimeout(() => {
  note("played");
  const result = document.createElement("pre");
  result.id = "seen";
  result.textContent = "SEEN" + JSON.stringify(seen) + "NEES";
  document.body.append(result);
}, 120000);
</script>)";

}  // namespace

TEST_CASE("gallery 12: every number of backpropagation is the hand-derived one to the last digits") {
  const testing::GalleryPage page("12_backprop");
  const std::map<std::string, Numbers> hand = by_hand();
  for (const auto& [name, wanted] : hand) {
    const Numbers numbers = page.numbers(name);
    REQUIRE(numbers.size() == wanted.size());
    // In z₂ terms of 0.2 cancel to −0.02, so its last digits are those of 0.2.
    const bool cancels = name == "z₂";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& shown_name = name;
      CAPTURE(shown_name);
      CAPTURE(i);
      CHECK(std::abs(numbers[i] - wanted[i]) <= 4 * ulp(cancels ? 0.2 : wanted[i]));
    }
  }
  for (const char* name : {"W₁", "b₁", "z₁", "W₂", "b₂", "z₂"}) {
    const Numbers formula = page.numbers("∂C/∂" + std::string(name) + " by hand");
    const Numbers& wanted = hand.at("∂C/∂" + std::string(name));
    REQUIRE(formula.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CHECK(std::abs(formula[i] - wanted[i]) <= 4 * ulp(wanted[i]));
    }
  }

  const std::string html = page.text("backprop.html");
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find(" src=") == std::string::npos);
  CHECK(html.find("<link") == std::string::npos);
  CHECK(html.find("import") == std::string::npos);
  CHECK(html.find("url(") != std::string::npos);  // of its own arrow heads
  CHECK(html.find("url(#to)") == html.find("url("));
  const nlohmann::json graph = graph_in(html);
  REQUIRE(graph["nodes"].size() == given.size() + computed.size());
  std::vector<std::string> way_back;
  for (const nlohmann::json& i : graph["backward"])
    way_back.push_back(graph["nodes"][i.get<std::size_t>()]["name"]);
  CHECK(way_back == std::vector<std::string>(computed.rbegin(), computed.rend()));
  for (const nlohmann::json& node : graph["nodes"]) {
    const std::string name = node["name"];
    CHECK(flat(node["value"]) == page.numbers(name));
    CHECK(flat(node["cotangent"]) == page.numbers("∂C/∂" + name));
    for (std::size_t i = 0; i < node["inputs"].size() && node.contains("handed"); ++i) {
      const std::string input = graph["nodes"][node["inputs"][i].get<std::size_t>()]["name"];
      CHECK(flat(node["handed"][i]["value"]) == page.numbers("∂C/∂" + input));  // each is read once
    }
  }
}

TEST_CASE("gallery 12: the page in the browser is stepped through by keys, buttons and nodes") {
  const std::filesystem::path browser = testing::chromium();
  if (browser.empty()) return testing::skip("no chromium to open docs/gallery/backprop.html with");
  const testing::GalleryPage page("12_backprop");
  const testing::TemporaryFolder folder;
  std::string html = page.text("backprop.html");
  html.insert(html.rfind("</body>"), user);
  std::ofstream(folder.path() / "driven.html") << html;
  const testing::ProgramResult result = testing::run_program(
      browser, {"--headless", "--no-sandbox", "--disable-gpu", "--window-size=400,800",
                "--virtual-time-budget=200000", "--user-data-dir=" + (folder.path() / "profile").string(),
                "--dump-dom", "file://" + (folder.path() / "driven.html").string()});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  struct Seen {
    const char* what;
    int step;
    const char* heading;
    const char* marked;
  };
  const char* const start = "The network before the first step";
  const std::vector<Seen> wanted{{"opened", 0, start, ""},
                                 {"key ArrowRight", 1, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"key ArrowDown", 2, "z₁ = s₁ + b₁", "z₁ = s₁ + b₁"},
                                 {"key ArrowLeft", 1, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"key ArrowUp", 0, start, ""},
                                 {"key ArrowLeft", 0, start, ""},
                                 {"key End", 20, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"key ArrowRight", 20, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"key Home", 0, start, ""},
                                 {"button next", 1, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"button previous", 0, start, ""},
                                 {"button last", 20, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"button first", 0, start, ""},
                                 {"node z₂ =", 5, "z₂ = s₂ + b₂", "z₂ = s₂ + b₂"},
                                 {"node W₁", 5, "W₁", "W₁"},
                                 {"key ArrowRight", 6, "a₂ = σ(z₂)", "a₂ = σ(z₂)"},
                                 {"button last", 20, "s₁ = W₁ · x", "s₁ = W₁ · x"},
                                 {"node z₂ =", 16, "z₂ = s₂ + b₂", "z₂ = s₂ + b₂"},
                                 {"key Enter", 18, "a₁ = σ(z₁)", "a₁ = σ(z₁)"},
                                 {"key  ", 18, "a₁ = σ(z₁)", "a₁ = σ(z₁)"},
                                 {"key  ", 18, "a₁ = σ(z₁)", "a₁ = σ(z₁)"},
                                 {"key Home", 0, start, ""},
                                 {"key  ", 0, start, ""},
                                 {"played", 20, "s₁ = W₁ · x", "s₁ = W₁ · x"}};
  const nlohmann::json seen =
      nlohmann::json::parse(between(result.out, "<pre id=\"seen\">SEEN", "NEES</pre>"));
  REQUIRE(seen.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK(seen[i][0] == wanted[i].what);
    CHECK(seen[i][1] == wanted[i].step);
    CHECK(seen[i][2] == wanted[i].heading);
    CHECK(seen[i][3] == wanted[i].marked);
    const std::string told = seen[i][4];
    CHECK(told.find("Step " + std::to_string(wanted[i].step) + " of 20") == 0);
    CHECK(told.find(wanted[i].heading) != std::string::npos);
  }
  // What is told at z₂ on the way back: the cotangent that the engine has, with six decimals.
  const Numbers delta = page.numbers("∂C/∂z₂");
  const std::string told = seen[17][4];
  for (const double number : delta) {
    std::ostringstream digits;
    digits << std::round(std::abs(number) * 1e6) / 1e6;
    CHECK(told.find(digits.str()) != std::string::npos);
  }
}

TEST_CASE(
    "gallery 12: a user's keys and clicks reach the page's nodes and buttons, on a phone and on a desk") {
  const std::filesystem::path program = testing::chromium();
  if (program.empty()) return testing::skip("no chromium to open docs/gallery/backprop.html with");
  const testing::GalleryPage page("12_backprop");
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "page.html") << page.text("backprop.html");
  for (const auto& [width, height] : {std::pair{400, 800}, std::pair{1200, 800}}) {
    const auto& shown_width = width;
    CAPTURE(shown_width);
    testing::Browser browser(program, folder.path() / std::to_string(width), width, height);
    browser.open(folder.path() / "page.html");
    const auto step = [&] { return browser.evaluate("Number(document.body.dataset.step)").get<int>(); };
    const auto shown = [&] {
      return browser.evaluate("document.getElementById('operation').textContent").get<std::string>();
    };
    // The middle of an element that is scrolled to, if that is what lies on top there; and clicks on it, once
    // the scrolled page has been drawn, since clicks go to what is drawn.
    const auto click = [&](const std::string& element) {
      CAPTURE(element);
      const nlohmann::json at = browser.evaluate("(async () => { const it = " + element + R"(;
        it.scrollIntoView({ block: "center", behavior: "instant" });
        for (let i = 0; i < 2; ++i) await new Promise(requestAnimationFrame);
        const box = it.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
        return { x, y, seen: it.contains(document.elementFromPoint(x, y)) }; })())");
      CHECK(at["seen"].get<bool>());
      browser.click(at["x"], at["y"]);
    };
    const auto node = [](std::size_t i) {
      return "document.querySelector('.node[data-node=\"" + std::to_string(i) + "\"]')";
    };
    CHECK(step() == 0);
    for (const auto& [key, after] : std::vector<std::pair<const char*, int>>{{"ArrowRight", 1},
                                                                             {"ArrowDown", 2},
                                                                             {"ArrowLeft", 1},
                                                                             {"End", 20},
                                                                             {"ArrowUp", 19},
                                                                             {"Home", 0}}) {
      const auto& shown_key = key;
      CAPTURE(shown_key);
      browser.press(key);
      CHECK(step() == after);
    }
    for (const auto& [id, after] :
         std::vector<std::pair<std::string, int>>{{"next", 1}, {"previous", 0}, {"last", 20}, {"first", 0}}) {
      click("document.getElementById('" + id + "')");
      CHECK(step() == after);
    }
    // Each node can be hit, and shows itself.
    const nlohmann::json graph = graph_in(page.text("backprop.html"));
    for (std::size_t i = 0; i < graph["nodes"].size(); ++i) {
      const std::string name = graph["nodes"][i]["name"];
      CAPTURE(name);
      click(node(i));
      CHECK(shown().starts_with(name));
    }
    // The node that was clicked has the focus; Enter on another one goes there.
    browser.press("Home");
    CHECK(step() == 0);
    browser.evaluate(node(graph["nodes"].size() - 1) + ".focus()");
    browser.press("Enter");
    CHECK(step() == 10);
    browser.evaluate("document.activeElement.blur()");
    const auto plays = [&] { return browser.evaluate("element('play').getAttribute('aria-pressed')"); };
    CHECK(plays() == "false");
    browser.press(" ");
    CHECK(plays() == "true");
    browser.press(" ");
    CHECK(plays() == "false");
  }
}
