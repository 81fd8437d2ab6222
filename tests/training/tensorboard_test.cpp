#include "xtgrad/training/tensorboard.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "tests/training/event_reader.h"
#include "tests/training/small_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/image_file.h"
#include "xtgrad/training/event_file.h"

using namespace xtgrad;
using testing::file_text;
using testing::message_of;
using testing::TemporaryFolder;
using training::TensorBoard;
using training_test::Fields;
using training_test::SmallRun;
using training_test::StopAfter;

namespace {

/// The values of a file's events, each with its step.
struct Value {
  std::int64_t step;
  Fields fields;
};
std::vector<Value> values_in(const std::string& path) {
  std::vector<Value> values;
  const std::vector<std::string> records = training_test::records_of(file_text(path));
  REQUIRE(!records.empty());
  CHECK(Fields(records[0]).texts.at(3).at(0) == "brain.Event:2");
  for (const std::string& record : records) {
    const Fields event(record);
    CHECK(event.real(1) > 1.7e9);  // seconds since 1970
    if (!event.texts.contains(5)) continue;
    const Fields summary(event.texts.at(5).at(0));
    for (const std::string& value : summary.texts.at(1)) {
      values.push_back({static_cast<std::int64_t>(event.numbers.at(2).at(0)), Fields(value)});
    }
  }
  return values;
}

float scalar(const Fields& value) {
  const auto bits = static_cast<std::uint32_t>(value.numbers.at(2).at(0));
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

/// What Python's tensorboard reads in a folder; discarded, and the test skipped, where it is missing.
nlohmann::json read_by_tensorboard(const std::filesystem::path& folder) {
  const std::filesystem::path script =
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests" / "training" / "read_events.py";
  const testing::ProgramResult result =
      testing::run_program("/usr/bin/env", {"python3", script.string(), folder.string()});
  if (result.exit_code == 77 || result.exit_code == 127) {
    testing::skip("python3 is missing here, or has no tensorboard");
    return nlohmann::json(nlohmann::json::value_t::discarded);
  }
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return nlohmann::json::parse(result.out);
}

/// Of pictures, which are PNG files within an event file.
bool can_write_pictures() {
#ifdef XTGRAD_HAS_LIBPNG
  return true;
#else
  skip("this build has no libpng");
  return false;
#endif
}

/// Values of all kinds.
void write_all(TensorBoard& board) {
  board.add_scalar("loss", 0.5, 1);
  board.add_scalar("loss", 0.25, 300);
  board.add_scalar("a/b", -1e30, 7);
  board.add_histogram("weights", tensor({-2, -1, 0, 0, 0.5, 3}), 2);
  board.add_image("grey", tensor({{0, 0.5, 1}, {2, -1, std::numeric_limits<double>::quiet_NaN()}}), 3);
  board.add_image("colours", full({3, 1, 2}, 200, {.dtype = uint8}), 3);
}

}  // namespace

TEST_CASE("CRC-32C has the check value of its catalogue, and agrees with a slow one") {
  CHECK(training::detail::crc32c("123456789") == 0xe3069283);
  CHECK(training::detail::crc32c("") == 0);
  // RFC 3720, B.4: 32 bytes of zeros, and of ones.
  CHECK(training::detail::crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(training::detail::crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += static_cast<char>(i * i);
    CHECK(training::detail::crc32c(text) == training_test::slow_crc32c(text));
  }
}

TEST_CASE("numbers of a protocol buffer come back, of any size") {
  training::detail::Message message;
  const std::vector<std::int64_t> all{
      0, 1, 127, 128, 300, std::int64_t{1} << 40, -1, std::numeric_limits<std::int64_t>::min()};
  for (const std::int64_t value : all) message.add_integer(20, value);
  message.add_double(1, -0.1);
  message.add_bytes(2, std::string(200, 'x'));
  const Fields fields(message.bytes());
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(static_cast<std::int64_t>(fields.numbers.at(20).at(i)) == all[i]);
  CHECK(fields.real(1) == -0.1);
  CHECK(fields.texts.at(2).at(0) == std::string(200, 'x'));
}

TEST_CASE("the reader of this test sees a spoilt record") {
  const std::string record = training::detail::framed("some data");
  REQUIRE(training_test::records_of(record) == std::vector<std::string>{"some data"});
  for (std::size_t i = 0; i < record.size(); ++i) {
    std::string spoilt = record;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 4);
    CHECK_THROWS(training_test::records_of(spoilt));
  }
}

TEST_CASE("scalars are in the file as soon as they are added, with tag and step") {
  const TemporaryFolder folder;
  TensorBoard board((folder.path() / "made" / "here").string());
  CHECK(board.path().find("/made/here/events.out.tfevents.") != std::string::npos);
  board.add_scalar("loss", 0.1, 1);
  CHECK(values_in(board.path()).size() == 1);
  board.add_scalar("loss", std::numeric_limits<double>::infinity(), 300);
  const auto values = values_in(board.path());
  REQUIRE(values.size() == 2);
  CHECK(values[0].step == 1);
  CHECK(values[0].fields.texts.at(1).at(0) == "loss");
  CHECK(scalar(values[0].fields) == 0.1F);
  CHECK(values[1].step == 300);
  CHECK(std::isinf(scalar(values[1].fields)));
  // Another one has a file of its own.
  CHECK(TensorBoard((folder.path() / "made" / "here").string()).path() != board.path());
}

TEST_CASE("histograms count the finite elements between their limits") {
  for (const Dtype dtype : {float32, float64}) {
    const TemporaryFolder folder;
    TensorBoard board(folder.path().string());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    board.add_histogram(
        "w", tensor({{-2, -2, 0, 0.5}, {3, infinity, -infinity, std::nan("")}}, {.dtype = dtype}), 4);
    board.add_histogram("empty", zeros({0}, {.dtype = dtype}), 4);
    board.add_histogram("one", full({}, 7, {.dtype = dtype}), 4);
    const auto values = values_in(board.path());
    REQUIRE(values.size() == 3);
    const Fields histogram(values[0].fields.texts.at(5).at(0));
    CHECK(histogram.real(1) == -2);
    CHECK(histogram.real(2) == 3);
    CHECK(histogram.real(3) == 5);
    CHECK(histogram.real(4) == -0.5);
    CHECK(histogram.real(5) == 17.25);
    const std::vector<double> limits = training_test::unpacked(histogram.texts.at(6).at(0));
    const std::vector<double> counts = training_test::unpacked(histogram.texts.at(7).at(0));
    REQUIRE(limits.size() == counts.size());
    CHECK(limits.front() < -2);
    CHECK(counts.front() == 0);
    CHECK(limits.back() >= 3);
    CHECK(limits.back() < 3.4);
    double total = 0;
    for (std::size_t i = 0; i < limits.size(); ++i) {
      const double before = i == 0 ? -infinity : limits[i - 1];
      CHECK(before < limits[i]);
      double expected = 0;
      for (const double x : {-2.0, -2.0, 0.0, 0.5, 3.0}) expected += x > before && x <= limits[i] ? 1 : 0;
      CHECK(counts[i] == expected);
      total += counts[i];
    }
    CHECK(total == 5);
    CHECK(Fields(values[1].fields.texts.at(5).at(0)).real(3) == 0);
    CHECK(Fields(values[2].fields.texts.at(5).at(0)).real(3) == 1);
  }
}

TEST_CASE("images are pictures of clamped numbers, or of bytes") {
  if (!can_write_pictures()) return;
  const TemporaryFolder folder;
  TensorBoard board(folder.path().string());
  write_all(board);
  const auto values = values_in(board.path());
  REQUIRE(values.size() == 6);
  const Fields grey(values[4].fields.texts.at(4).at(0));
  CHECK(grey.numbers.at(1).at(0) == 2);
  CHECK(grey.numbers.at(2).at(0) == 3);
  CHECK(grey.numbers.at(3).at(0) == 1);
  const Tensor pixels = tensor({{0, 128, 255}, {255, 0, 0}}, {.dtype = uint8});
  CHECK(grey.texts.at(4).at(0) == datasets::encode_png(pixels));
  // Channels come last in a picture.
  TensorBoard colours(folder.path().string());
  colours.add_image("rgb", tensor({{{1, 0}}, {{0, 0}}, {{0, 1}}}, {.dtype = float64}), 1);
  const Tensor red_and_blue = tensor({{{255, 0}}, {{0, 0}}, {{0, 255}}}, {.dtype = uint8});
  CHECK(Fields(values_in(colours.path())[0].fields.texts.at(4).at(0)).texts.at(4).at(0) ==
        datasets::encode_png(red_and_blue));
}

TEST_CASE("a training adds the values of its epochs, and of steps and weights where it is asked to") {
  const TemporaryFolder folder;
  const auto board = std::make_shared<TensorBoard>(
      folder.path().string(), training::TensorBoardOptions{.every_steps = 5, .histograms = true});
  SmallRun run({board});
  run.trainer.fit();
  std::map<std::string, std::vector<std::int64_t>> steps;
  for (const auto& [step, fields] : values_in(board->path())) {
    const std::string& tag = fields.texts.at(1).at(0);
    steps[tag].push_back(step);
    if (tag == "validation_loss") {
      const auto record = run.trainer.records().at(steps[tag].size() - 1);
      CHECK(scalar(fields) == static_cast<float>(record.at("validation_loss")));
    }
  }
  const std::vector<std::int64_t> epochs{3, 6, 9, 12};
  for (const char* tag : {"loss", "accuracy", "validation_loss", "validation_accuracy", "lr",
                          "samples_per_second", "layers.0.weight", "layers.1.bias"}) {
    CAPTURE(tag);
    CHECK(steps[tag] == epochs);
  }
  CHECK(steps["step/loss"] == std::vector<std::int64_t>{5, 10});
  CHECK(steps["step/lr"] == std::vector<std::int64_t>{5, 10});
}

TEST_CASE("TensorBoard refuses what it cannot show, and folders that cannot be") {
  const TemporaryFolder folder;
  TensorBoard board(folder.path().string());
  const auto refused = [&](const Tensor& image) {
    return message_of([&] {
      board.add_image("x", image, 0);
      return 0;
    });
  };
  const std::string shape =
      "TensorBoard: add_image: an image must be [height, width] or [1 or 3, height, width]: got ";
  CHECK(refused(zeros({2, 4, 4})) == shape + "[2, 4, 4]");
  CHECK(refused(zeros({4})) == shape + "[4]");
  CHECK(refused(zeros({0, 4})) == shape + "[0, 4]");
  CHECK(refused(zeros({4, 4}, {.dtype = int64})) ==
        "TensorBoard: add_image: an image must be uint8, float32 or float64: got int64");
  CHECK(message_of<DtypeError>([&] {
          board.add_histogram("x", zeros({4}, {.dtype = int64}), 0);
          return 0;
        }) == "TensorBoard: add_histogram: values must be float32 or float64: got int64");
  CHECK(values_in(board.path()).empty());
  CHECK(message_of<ValueError>([&] {
          return TensorBoard(folder.path().string(), {.every_steps = -1}).path();
        }) == "TensorBoard: every_steps must be at least 0: got -1");
  std::ofstream(folder.path() / "file") << "";
  CHECK(message_of<IoError>([&] {
          return TensorBoard((folder.path() / "file").string()).path();
        }).starts_with("TensorBoard: cannot create"));
}

TEST_CASE("Python's tensorboard reads scalars, histograms and images") {
  if (!can_write_pictures()) return;
  const TemporaryFolder folder;
  {
    TensorBoard board(folder.path().string());
    write_all(board);
  }
  const nlohmann::json found = read_by_tensorboard(folder.path());
  if (found.is_discarded()) return;
  CHECK(found.at("scalars").at("loss") == nlohmann::json({{1, 0.5}, {300, 0.25}}));
  CHECK(found.at("scalars").at("a/b").at(0).at(1).get<double>() == doctest::Approx(-1e30));
  const nlohmann::json& histogram = found.at("histograms").at("weights").at(0);
  CHECK(histogram.at("step") == 2);
  CHECK(histogram.at("num") == 6);
  CHECK(histogram.at("sum") == 0.5);
  CHECK(histogram.at("limits").size() == histogram.at("counts").size());
  const nlohmann::json& image = found.at("images").at("grey").at(0);
  CHECK(image.at(1) == 3);
  CHECK(image.at(2) == 2);
  CHECK(image.at(3).get<std::string>().starts_with("89504e47"));
}

TEST_CASE("Python's tensorboard shows a resumed training as one that was never stopped") {
  const TemporaryFolder folder;
  nn::StateDict state;
  {
    SmallRun first({std::make_shared<TensorBoard>(folder.path().string()), std::make_shared<StopAfter>(4)});
    CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
    state = first.trainer.state_dict();
  }
  {
    // It got further before it was killed.
    TensorBoard board(folder.path().string());
    board.add_scalar("loss", 100, 6);
  }
  SmallRun second({std::make_shared<TensorBoard>(folder.path().string())});
  second.trainer.restore(state);
  second.trainer.fit();
  const nlohmann::json found = read_by_tensorboard(folder.path());
  if (found.is_discarded()) return;
  const nlohmann::json& loss = found.at("scalars").at("loss");
  REQUIRE(loss.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(loss.at(i).at(0) == 3 * (i + 1));
    CHECK(loss.at(i).at(1).get<double>() == doctest::Approx(second.trainer.records()[i].at("loss")));
  }
}
