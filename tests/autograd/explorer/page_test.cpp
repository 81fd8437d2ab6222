// What the explorer's page holds.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/autograd/explorer/example_runs.h"
#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/unwritable_folder.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/explore.h"
#include "xtgrad/autograd/explorer/base64.h"
#include "xtgrad/autograd/explorer/kept_elements.h"
#include "xtgrad/autograd/explorer/statistics.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad { namespace {

using detail::KeptElements;
using testing::message_of;
using testing::Source;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The run in a page.
nlohmann::json run_in(const std::string& page) {
  const std::string begin = "<script id=\"run\" type=\"application/json\">";
  const std::size_t from = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The elements in a text of base 64, decoded by hand.
template <class T>
std::vector<T> elements_in(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(letters.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  std::vector<T> elements(bytes.size() / sizeof(T));
  if (!elements.empty()) std::memcpy(elements.data(), bytes.data(), elements.size() * sizeof(T));
  return elements;
}

TEST_CASE("the explorer's page holds the run: steps, operands, phases, elements to the bit") {
  const ProgramRun run = testing::small_run();
  const nlohmann::json json = run_in(explorer_page(run));
  REQUIRE(json["steps"].size() == run.steps.size());
  const std::vector<std::string> phases{"forward", "forward", "forward", "backward", "backward", "optimizer"};
  for (std::size_t s = 0; s < run.steps.size(); ++s) {
    const nlohmann::json& step = json["steps"][s];
    CHECK(step["operation"] == run.steps[s].operation);
    CHECK(step["module"] == run.steps[s].module);
    CHECK(step["phase"] == phases[s]);
    CHECK(step["seconds"] == run.steps[s].seconds);
    CHECK(step["inputs"].size() == run.steps[s].inputs.size());
  }
  CHECK(json["steps"][3]["of"] == 4);
  CHECK(json["steps"][3]["rule"] == "tanh");
  CHECK(json["steps"][2]["attributes"] == "axes=[0, 1]");
  CHECK_FALSE(json["steps"][0]["inputs"][0].contains("shape"));
  REQUIRE(json["values"].size() == run.values.size());
  for (std::size_t v = 0; v < run.values.size(); ++v) {
    const nlohmann::json& value = json["values"][v];
    CHECK(value["name"] == run.values[v].name);
    const auto data = run.values[v].elements.data<float>();
    CHECK(elements_in<float>(value["kept"]["elements"]) == std::vector<float>(data.begin(), data.end()));
  }
  CHECK(json["values"][1]["source"] == "state");
  CHECK(json["values"][3]["cotangent"] == 6);
  CHECK(json["state"][0] == nlohmann::json{{"name", "weight"}, {"before", 1}, {"after", 8}});
  CHECK(json["formulas"]["tanh"]["text"] == "y = tanh x");
}

TEST_CASE("an operand that is seen in another shape says so") {
  ProgramRun run = testing::small_run();
  run.steps[1].inputs[0].shape = Shape{4};
  CHECK(run_in(explorer_page(run))["steps"][1]["inputs"][0]["shape"] == std::vector<int>{4});
}

TEST_CASE("names in the explorer's page are text, whatever they hold") {
  ProgramRun run = testing::small_run();
  const std::string hostile = "</script><b>\"'<!--<script>{{style}} \xC3\xA9\xF0\x9F\x90\x88 & \\ \n";
  for (ProgramRun::Value& value : run.values) value.name = hostile;
  for (ProgramRun::Step& step : run.steps)
    step.operation = step.module = step.attributes = step.rule = hostile;
  const std::string plain = explorer_page(testing::small_run());
  const std::string page = explorer_page(run, {.title = hostile});
  CHECK(count_of(page, "<script") == count_of(plain, "<script"));
  CHECK(count_of(page, "</script") == count_of(plain, "</script"));
  CHECK(count_of(page, "<b>") == count_of(plain, "<b>"));
  CHECK(page.find("<title>&lt;/script&gt;&lt;b&gt;&quot;&#39;") != std::string::npos);
  const nlohmann::json json = run_in(page);
  CHECK(json["values"][0]["name"] == hostile);
  CHECK(json["steps"][0]["module"] == hostile);
  run.values[0].name = "no \xFF UTF-8";
  CHECK(run_in(explorer_page(run))["values"][0]["name"] == "no \xEF\xBF\xBD UTF-8");
}

TEST_CASE("statistics are of finite elements, others are counted") {
  const auto statistics = detail::statistics_of(tensor({1, nan, -3, inf, -inf, 2, nan}));
  CHECK(statistics.finite == 3);
  CHECK(statistics.nan == 2);
  CHECK(statistics.inf == 1);
  CHECK(statistics.minus_inf == 1);
  CHECK(statistics.min == "-3");
  CHECK(statistics.max == "2");
  CHECK(statistics.mean == 0);
  CHECK(statistics.deviation == doctest::Approx(std::sqrt(14.0 / 3)));
  REQUIRE(statistics.histogram);
  CHECK(statistics.histogram->counts.front() == 1);
  CHECK(statistics.histogram->counts.back() == 1);
  CHECK(statistics.histogram->counts[25] == 1);  // 1 lies 4/5 of the way, 25.6 parts of 32
  CHECK(detail::statistics_of(tensor({nan, inf})).min.empty());
  CHECK(detail::statistics_of(tensor(0.1)).max == "0.1");
  CHECK_FALSE(detail::statistics_of(tensor(0.1)).histogram);
  CHECK(detail::statistics_of(full({3}, 7)).histogram->counts.front() == 3);
}

TEST_CASE("statistics of integers, of bool and of numbers at the end of the range") {
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto whole = detail::statistics_of(
      from_vector(std::vector<std::int64_t>{least, std::numeric_limits<std::int64_t>::max()}));
  CHECK(whole.min == "-9223372036854775808");
  CHECK(whole.max == "9223372036854775807");
  CHECK(whole.histogram->counts.back() == 1);
  const auto mask = detail::statistics_of(tensor({1, 0, 1, 1}) > 0.5);
  CHECK(mask.max == "1");
  CHECK(mask.mean == 0.75);
  const double huge = std::numeric_limits<double>::max();
  const auto wide = detail::statistics_of(tensor({huge, -huge, huge}, {.dtype = float64}));
  CHECK(wide.deviation / huge == doctest::Approx(std::sqrt(8.0) / 3));
  CHECK(wide.histogram->counts.back() == 2);
  CHECK(detail::statistics_of(tensor({0.1F, 0.2F})).max == "0.2");
}

TEST_CASE("a value of more elements than the page takes keeps whole matrices, or rows and columns of one") {
  const Tensor many = reshape(arange(120, {}, {.dtype = float32}), {2, 3, 4, 5});
  const KeptElements all = detail::keep_elements(many, 120);
  CHECK(all.matrices == 6);
  CHECK(all.bytes.size() == 480);
  const KeptElements some = detail::keep_elements(many, 59);
  CHECK(some.matrices == 2);
  CHECK(some.row_step == 1);
  CHECK(some.bytes == all.bytes.substr(0, 160));
  const KeptElements thin = detail::keep_elements(many, 6);
  CHECK(thin.matrices == 1);
  CHECK(thin.row_step == 2);
  CHECK(thin.column_step == 2);
  CHECK(elements_in<float>(detail::base64(thin.bytes)) == std::vector<float>{0, 2, 4, 10, 12, 14});
  CHECK(detail::keep_elements(many, 1).bytes.size() == sizeof(float));
}

TEST_CASE("what is kept of vectors, of numbers and of nothing") {
  const Tensor vector = arange(10, {}, {.dtype = float64});
  const KeptElements kept = detail::keep_elements(vector, 4);
  CHECK(kept.column_step == 3);
  CHECK(elements_in<double>(detail::base64(kept.bytes)) == std::vector<double>{0, 3, 6, 9});
  CHECK(detail::keep_elements(tensor(2), 1).matrices == 1);
  for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{0, 2, 2}, Shape{2, 0}}) {
    const KeptElements none = detail::keep_elements(zeros(shape), 5);
    CHECK(none.matrices == 0);
    CHECK(none.bytes.empty());
  }
}

TEST_CASE("a page of no steps, of values that nothing made and of empty ones") {
  ProgramRun run;
  CHECK(run_in(explorer_page(run))["steps"].empty());
  testing::add_value(run, "unmade", Source::step, {});
  testing::add_value(run, "empty", Source::input, zeros({0, 3}));
  const nlohmann::json json = run_in(explorer_page(run));
  CHECK_FALSE(json["values"][0].contains("kept"));
  CHECK(json["values"][1]["shape"] == std::vector<int>{0, 3});
  CHECK(json["values"][1]["stats"]["finite"] == 0);
}

TEST_CASE("a sweep's sums are backward, an optimizer's coefficients are its own") {
  ProgramRun run = testing::small_run();
  run.steps[3].operation = "add";
  run.steps[3].rule.clear();
  run.steps[3].of.reset();
  run.steps[2].operation = "adam_rates";
  run.steps[2].module.clear();
  run.steps[1].operation = "advance_counter";  // of batches
  const nlohmann::json json = run_in(explorer_page(run));
  CHECK(json["steps"][3]["phase"] == "backward");
  CHECK(json["steps"][2]["phase"] == "optimizer");
  CHECK(json["steps"][1]["phase"] == "forward");
}

TEST_CASE("explore writes the page, and says why where it cannot") {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "step.html").string();
  explore(testing::small_run(), path, {.title = "A step"});
  CHECK(testing::file_text(path) == explorer_page(testing::small_run(), {.title = "A step"}));
  const std::string nowhere = (folder.path() / "none" / "step.html").string();
  const std::string message = message_of<IoError>([&] { explore(testing::small_run(), nowhere); });
  CHECK(message.find(nowhere) != std::string::npos);
}

TEST_CASE("the explorer refuses limits below 1 and numbers of values that are not there") {
  CHECK(message_of<ValueError>([] { return explorer_page({}, {.most_elements = 0}); }) ==
        "explorer_page: most_elements must be at least 1, got 0");
  ProgramRun run = testing::small_run();
  run.steps[2].inputs[0].value = 40;
  CHECK(message_of<ValueError>([&] { return explorer_page(run); }) ==
        "explorer_page: step 2 names value 40, but the run has 9 values");
  run = testing::small_run();
  run.results[0].value = 9;
  CHECK(message_of<ValueError>([&] { return explorer_page(run); }) ==
        "explorer_page: a result names value 9, but the run has 9 values");
}

TEST_CASE("the page asks for nothing from elsewhere") {
  const std::string page = explorer_page(testing::small_run());
  for (const char* word : {"http:", "https:", "src=", "@import", "url(", "<link", "fetch("}) {
    // The one address is the name of a space of elements.
    const std::size_t expected = std::string(word) == "http:" ? 1 : 0;
    CHECK_MESSAGE(count_of(page, word) == expected, word);
  }
  CHECK(page.find("{{") == std::string::npos);
}

}}  // namespace xtgrad
