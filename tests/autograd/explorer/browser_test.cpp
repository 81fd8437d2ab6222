// The explorer's page as its user sees it: keys and clicks in a headless Chromium, and what is shown
// afterwards.
#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/explorer/example_runs.h"
#include "tests/autograd/explorer/open_page.h"
#include "tests/support/browser.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad { namespace {

using testing::OpenPage;
using testing::Source;

bool lacks_browser() {
  if (!testing::chromium().empty()) return false;
  testing::skip("no chromium to open the explorer's page with");
  return true;
}

const std::string heading = "#step-pane h2";
const std::string value_name = "#value-pane .half:first-child h3 b";
const std::string cotangent_name = "#value-pane .half:nth-child(2) h3 b";

TEST_CASE("the explorer steps by keys and by buttons, and shows each step's numbers") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run(), {.title = "A small run"});
  CHECK(page.text("h1") == "A small run");
  CHECK(page.text("#totals").find("6 steps") == 0);
  CHECK(page.step() == 0);
  CHECK(page.text(heading) == "forwardmatmul");
  CHECK(page.text("#step-pane .text") == "%2:float32[2, 2] = matmul(in0, weight)");
  CHECK(page.text("#step-pane .formula").find("y = a b") == 0);
  CHECK(page.text(value_name) == "%2");
  CHECK(page.text(cotangent_name) == "%5");
  const std::vector<std::pair<const char*, int>> keys{
      {"ArrowRight", 1}, {"ArrowDown", 2}, {"j", 3},    {"k", 2}, {"ArrowUp", 1},  {"End", 5},
      {"ArrowRight", 5}, {"ArrowLeft", 4}, {"Home", 0}, {"k", 0}, {"PageDown", 5}, {"PageUp", 0}};
  for (const auto& [key, after] : keys) {
    const auto& shown_key = key;
    CAPTURE(shown_key);
    page.press(key);
    CHECK(page.step() == after);
  }
  for (const auto& [button, after] : std::vector<std::pair<const char*, int>>{
           {"#next", 1}, {"#last", 5}, {"#previous", 4}, {"#first", 0}}) {
    page.click(button);
    CHECK(page.step() == after);
  }
  page.press("End");
  CHECK(page.text(heading) == "optimizersgd_step");
  CHECK(page.text(".outputs .letter") == "p′");
  page.press("k");
  page.press("k");
  CHECK(page.text(heading) == "backwardtanh.rule0");
  CHECK(page.text("#step-pane .facts").find("moduleNet.first") != std::string::npos);
  CHECK(page.text("#step-pane .facts").find("ruleof tanh, which made %3") != std::string::npos);
  CHECK(page.text("#step-pane .costs").find("4.00 µs, 19.0 % of the run") != std::string::npos);
  CHECK(page.text("#step-pane .costs").find("bytes made16 B") != std::string::npos);
}

TEST_CASE("the explorer shows a value as numbers, heat map and histogram, and its cotangent beside it") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run());
  page.press("3");
  CHECK(page.text("#value-pane .half tbody") == "00.625212.52");
  CHECK(page.text("#value-pane .half:nth-child(2) tbody") == "00.990.1910.910.51");
  page.press("c");
  CHECK(page.count("#value-pane .half") == 1);
  page.click("#cotangent-button");
  CHECK(page.count("#value-pane .half") == 2);
  page.click("[data-view=histogram]");
  CHECK(page.count("#value-pane .half:first-child rect") == 32);
  CHECK(page.text("#value-pane .half rect title") == "0.625 to 0.6836: 1 element");
  page.press("1");
  // The cell at the bottom left is element [1, 0].
  page.evaluate(
      "document.querySelector('#value-pane canvas').dispatchEvent(new PointerEvent('pointermove',"
      "{ clientX: document.querySelector('#value-pane canvas').getBoundingClientRect().x + 3,"
      "clientY: document.querySelector('#value-pane canvas').getBoundingClientRect().bottom - 3 }))");
  CHECK(page.text("#value-pane .readout") == "[1, 0] = 2.5");
  CHECK(page.text("#value-pane .legend").find("-2.52.5") == 0);
  const nlohmann::json pixel = page.evaluate(
      "Array.from(document.querySelector('#value-pane canvas').getContext('2d').getImageData(4, 4, 1, "
      "1).data)");
  CHECK(pixel[0].get<int>() > pixel[2].get<int>());  // 0.625 is positive, and has that side's colour
  page.click("[data-view=numbers]");
  page.press("End");
  CHECK(page.text("#value-pane .note") == "No sweep came by this value: it has none.");
}

TEST_CASE("the explorer's chips show values, its links go to who made and who reads them") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run());
  page.click(".inputs .chip[data-value='1']");
  CHECK(page.step() == 0);
  CHECK(page.text(value_name) == "weight");
  CHECK(page.text(cotangent_name) == "%6");
  page.evaluate("document.querySelector(\".outputs .chip\").focus()");
  page.press("Enter");
  CHECK(page.text(value_name) == "%2");
  CHECK(page.evaluate("document.activeElement.textContent") == "%2");  // in the pane that was rendered anew
  page.click(".outputs .link[data-to='1']");
  CHECK(page.step() == 1);
  page.click(".inputs .link[data-to='0']");
  CHECK(page.step() == 0);
  page.press("End");
  page.click(".inputs .link[data-to='4']");
  CHECK(page.text(heading) == "backwardmatmul");
  page.click(".facts .link[data-to='0']");
  CHECK(page.step() == 0);
  page.click("#outside summary");
  CHECK(page.text("#outside div").find("Inputsin0Stateweight") == 0);
  page.click("#outside .chip[data-value='5']");
  CHECK(page.text(value_name) == "%4");
}

TEST_CASE("the explorer folds modules, by mouse and by key, and steps over folded ones") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run());
  const auto rows = [&] { return page.count("#rows .row:not([hidden])"); };
  // forward, Net, first, two steps, second, a step; backward, Net.first, two; optimizer, a step.
  CHECK(rows() == 13);
  page.press("m");
  CHECK(rows() == 11);
  CHECK(page.count("#rows .group.current") == 1);
  page.press("j");
  CHECK(page.step() == 2);
  page.press("k");
  CHECK(page.step() == 0);
  page.press("m");
  CHECK(rows() == 13);
  page.press("]");
  CHECK(page.step() == 2);
  page.press("]");
  CHECK(page.step() == 3);
  page.press("[");
  CHECK(page.step() == 2);
  page.click("#rows .row.group.backward");
  CHECK(page.count("#rows .row[data-step]:not([hidden])") == 4);
  page.press("j");
  CHECK(page.step() == 3);
  page.press("j");
  CHECK(page.step() == 5);
  page.click(".inputs .link[data-to='4']");  // unfolds
  CHECK(page.step() == 4);
  CHECK(rows() == 13);
  page.click("#rows .row[data-step='1']");
  CHECK(page.step() == 1);
}

TEST_CASE("the explorer finds steps by operation, module and name, and goes around") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run());
  page.press("/");
  page.type("matmul");
  CHECK(page.text("#found") == "2");
  CHECK(page.count("#rows .hit") == 2);
  CHECK(page.step() == 0);
  page.press("Enter");
  CHECK(page.step() == 0);
  CHECK(page.text("#found") == "1 of 2");
  page.press("Enter");
  CHECK(page.step() == 4);
  page.press("ArrowDown");  // leaves the box
  page.press("n");
  CHECK(page.step() == 0);
  page.press("N");
  CHECK(page.step() == 4);
  page.press("/");
  page.type("net.second");
  CHECK(page.text("#found") == "1");
  page.press("Enter");
  CHECK(page.step() == 2);
  page.press("Escape");
  CHECK(page.text("#found").empty());
  page.press("/");
  page.type("%7 weight");
  page.press("Enter");
  CHECK(page.step() == 5);
  page.press("Escape");
  page.press("?");
  CHECK(page.evaluate("document.getElementById('help').open") == true);
  page.press("j");
  CHECK(page.step() == 5);
  page.press("Escape");
  CHECK(page.evaluate("document.getElementById('help').open") == false);
}

TEST_CASE("the explorer's address keeps the step, and its timeline goes to one") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run(), {}, {1280, 800}, "#3");
  CHECK(page.step() == 3);
  page.press("j");
  page.wait_for("location.hash === '#4'");
  CHECK(page.text("#live").find("Step 4 of 6: backward, %6:float32[3, 2] = matmul(in0, %5)") == 0);
  page.evaluate("location.hash = '#1'");
  page.wait_for("document.body.dataset.step === '1'");
  CHECK(page.text(heading) == "forwardtanh");
  page.click("#timeline", 0.9);
  CHECK(page.step() == 5);
  CHECK(page.evaluate("Object.keys(window).filter((key) => ['run', 'page', 'viewer', 'list'].includes(key) &&"
                      "typeof window[key].steps !== 'undefined').length") == 0);
}

TEST_CASE("the explorer marks the first NaN and the first infinity, and goes there") {
  if (lacks_browser()) return;
  constexpr double inf = std::numeric_limits<double>::infinity();
  ProgramRun run = testing::small_run();
  run.values[4].elements = tensor({{0.1, inf}, {-inf, 2}});
  run.values[6].elements = tensor({{std::numeric_limits<double>::quiet_NaN(), 1}, {inf, 0.25}});
  OpenPage page(run);
  CHECK(page.text("#marks") == "NaN from step 3∞ from step 1");
  page.click("#first-nan");
  CHECK(page.step() == 3);
  CHECK(page.text(value_name) == "%5");
  CHECK(page.text("#value-pane .stats").find("NaN 1inf 1") != std::string::npos);
  page.press("3");
  CHECK(page.text("#value-pane tbody") == "0NaN11inf0.25");
  page.click("#first-infinity");
  CHECK(page.step() == 1);
  CHECK(page.text("#value-pane tbody") == "00.1inf1-inf2");
  CHECK(page.text("#rows .row[data-step='3'] .bad") == "NaN");
  CHECK(page.text("#rows .row[data-step='1'] .bad") == "∞");
  CHECK(page.count("#rows .row[data-step='0'] .bad") == 0);
}

TEST_CASE("hostile names are shown as they are") {
  if (lacks_browser()) return;
  const std::string hostile = "</script><b id='owned'>\"'&amp; é🐈";
  ProgramRun run = testing::small_run();
  for (ProgramRun::Value& value : run.values) value.name = hostile;
  for (ProgramRun::Step& step : run.steps)
    step.operation = step.module = step.attributes = step.rule = hostile;
  OpenPage page(run, {.title = hostile});
  CHECK(page.count("#owned") == 0);
  CHECK(page.text("h1") == hostile);
  CHECK(page.evaluate("document.title") == hostile);
  CHECK(page.text(heading) == "backward" + hostile);
  CHECK(page.text(".chip") == hostile);
  CHECK(page.text(value_name) == hostile);
  page.press("]");
  page.press("2");
  page.press("3");
  CHECK(page.count("#owned") == 0);
  CHECK(page.evaluate("typeof XTGRAD_OWNED") == "undefined");
}

TEST_CASE("values of every rank and dtype, empty ones, and those that are kept in part") {
  if (lacks_browser()) return;
  ProgramRun run;
  const std::int64_t large = (std::int64_t{1} << 62) + 1;
  const std::vector<Tensor> values{tensor(0.1, {.dtype = float64}),
                                   zeros({0, 3}),
                                   from_vector(std::vector<std::int64_t>{large, -large}),
                                   tensor({1, 0}, {.dtype = boolean}),
                                   reshape(arange(24, {}, {.dtype = float32}), {2, 3, 2, 2}),
                                   reshape(arange(5000, {}, {.dtype = float32}), {50, 100}),
                                   tensor({0.1, 16777217, 1e-45}),
                                   arange(300, {}, {.dtype = int32})};
  std::vector<std::size_t> numbers;
  for (const Tensor& each : values) numbers.push_back(testing::add_value(run, "v", Source::step, each));
  const std::size_t unmade = testing::add_value(run, "unmade", Source::step, {});
  for (const std::size_t number : numbers) testing::add_step(run, "mine", {}, {number});
  run.results = {{unmade, Shape{2}}};
  OpenPage page(run, {.most_elements = 400});
  page.press("3");
  const auto numbers_of = [&](const std::string& step) {
    page.evaluate("location.hash = '#" + step + "'");
    page.wait_for("document.body.dataset.step === '" + step + "'");
    return page.text("#value-pane tbody");
  };
  CHECK(numbers_of("0") == "0.1");
  numbers_of("1");
  CHECK(page.text("#value-pane .half:first-child .note") == "There are no elements.");
  CHECK(numbers_of("2") == "04611686018427387905-4611686018427387905");
  CHECK(numbers_of("3") == "0truefalse");
  CHECK(numbers_of("4") == "001123");
  page.evaluate(
      "(() => { const slider = document.querySelectorAll('.sliders input')[1]; slider.value = 2;"
      "slider.dispatchEvent(new Event('input')); })()");
  CHECK(page.text("#value-pane tbody") ==
        "0891"
        "1011");
  page.press("1");
  CHECK(page.count(".sliders input") == 1);  // the other axis is side by side
  page.press("t");
  CHECK(page.count(".sliders input") == 2);
  page.press("3");
  CHECK(numbers_of("5").find("002481012") == std::string::npos);
  CHECK(page.text("#value-pane .note:last-child")
            .find("of 5,000 elements; statistics and histogram are of all") != std::string::npos);
  CHECK(numbers_of("6") == "00.1167772161e-45");
  CHECK(numbers_of("7").find("299") != std::string::npos);
  for (const char* view : {"1", "2"}) {
    page.press(view);
    for (int step = 0; step < 8; ++step) numbers_of(std::to_string(step));
    CHECK(page.count("#value-pane .half") == 2);
  }
}

TEST_CASE("a run of no steps is a page that says so") {
  if (lacks_browser()) return;
  ProgramRun run;
  run.inputs = {testing::add_value(run, "in0", Source::input, tensor({1, 2}))};
  run.results = {testing::operand(run, 0)};
  OpenPage page(run);
  CHECK(page.text(heading) == "No steps");
  CHECK(page.text(value_name) == "in0");
  for (const char* key : {"j", "m", "]", "n", "End", "c", "3"}) page.press(key);
  CHECK(page.text("#value-pane tbody") == "012");
  CHECK(page.text("#where") == "no steps");
}

TEST_CASE("five thousand steps: each key's step is drawn, and few rows are in the document") {
  if (lacks_browser()) return;
  OpenPage page(testing::long_run(5000));
  CHECK(page.text("#totals").find("5,000 steps") == 0);
  // 1,000 keys, of each of which the drawing is waited for; how long that takes is printed, not checked.
  const nlohmann::json spent = page.evaluate(R"((async () => {
    const nextFrame = window.requestAnimationFrame.bind(window);
    let drawing = 0, longest = 0;
    window.requestAnimationFrame = (draw) => nextFrame((time) => {
      const begin = performance.now();
      draw(time);
      document.body.offsetHeight;  // the layout, too
      drawing += performance.now() - begin;
      longest = Math.max(longest, performance.now() - begin);
    });
    const begin = performance.now();
    for (let i = 0; i < 1000; ++i) {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
      await new Promise(nextFrame);
    }
    window.requestAnimationFrame = nextFrame;
    return { loaded: performance.getEntriesByType("navigation")[0].loadEventEnd, all: performance.now() - begin, drawing, longest };
  })())");
  MESSAGE("loaded and 1,000 keys, in ms: " << spent.dump());
  CHECK(page.step() == 1000);
  CHECK(page.text("#step-pane .text") == "%1001:float32[4] = tanh(%1000)");
  CHECK(page.count("#rows .row") < 100);
  CHECK(page.text("#rows .current").find("1000tanh") == 0);
  page.press("End");
  CHECK(page.step() == 4999);
  CHECK(page.text("#rows .current").find("4999exp") == 0);
  page.press("/");
  page.type("layers.321");
  page.press("Enter");
  CHECK(page.step() == 3210);
}

TEST_CASE("the explorer fits a phone: nothing sticks out, and what is touched is there") {
  if (lacks_browser()) return;
  OpenPage page(testing::small_run(), {.title = "A run on a phone"}, {400, 800});
  CHECK(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth") ==
        true);
  page.click("#next");
  CHECK(page.step() == 1);
  page.click("[data-view=numbers]");
  CHECK(page.text("#value-pane tbody") == "00.1-0.910.30.7");
  page.click(".inputs .link[data-to='0']");
  CHECK(page.step() == 0);
  page.press("End");
  CHECK(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth") ==
        true);
}

}}  // namespace xtgrad
