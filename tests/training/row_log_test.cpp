#include "xtgrad/training/row_log.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/training/small_run.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using testing::file_text;
using testing::lines_of;
using testing::message_of;
using testing::TemporaryFolder;
using training::NamedValue;
using training_test::SmallRun;
using training_test::StopAfter;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Log>
std::shared_ptr<Log> make(const std::string& file, const training::LogOptions& options = {.times = false}) {
  return std::make_shared<Log>(file, options);
}

/// The file of a training that is stopped after some steps, and goes on from a state of an earlier step.
template <class Log>
std::string resumed_file(const std::string& file, std::int64_t stop, std::int64_t back_to) {
  nn::StateDict state;
  class Keep final : public training::Callback {
   public:
    Keep(nn::StateDict& state, std::int64_t step) : state_(state), step_(step) {}
    void before_step(training::Trainer& trainer) override {
      if (trainer.step() == step_) state_ = trainer.state_dict();
    }

   private:
    nn::StateDict& state_;
    std::int64_t step_;
  };
  SmallRun first(
      {make<Log>(file), std::make_shared<Keep>(state, back_to), std::make_shared<StopAfter>(stop)});
  CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
  // A kill may cut off a line.
  std::ofstream(file, std::ios::app) << "{\"step\": 1";
  SmallRun second({make<Log>(file)});
  second.trainer.restore(state);
  second.trainer.fit();
  return file_text(file);
}

}  // namespace

TEST_CASE("a CSV log has a line an epoch, and numbers in as few digits as bring them back") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "log.csv").string();
  SmallRun run({make<training::CsvLog>(file)});
  run.trainer.fit();
  const std::vector<std::string> lines = lines_of(file_text(file));
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "step,epoch,lr,loss,accuracy,validation_loss,validation_accuracy");
  for (const auto& r : run.trainer.records()) {
    CHECK(lines[static_cast<std::size_t>(r.epoch)] ==
          fmt::format("{},{},{},{},{},{},{}", r.step, r.epoch, r.lr, r.at("loss"), r.at("accuracy"),
                      r.at("validation_loss"), r.at("validation_accuracy")));
  }
}

TEST_CASE("a JSON-lines log has an object a line, as other programs read it") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "log.jsonl").string();
  SmallRun run({make<training::JsonLinesLog>(file, {})});
  run.trainer.fit();
  const std::vector<std::string> lines = lines_of(file_text(file));
  REQUIRE(lines.size() == 4);
  for (const auto& record : run.trainer.records()) {
    const auto row = nlohmann::json::parse(lines[static_cast<std::size_t>(record.epoch - 1)]);
    CHECK(row.size() == 9);
    CHECK(row.at("step") == record.step);
    CHECK(row.at("epoch") == record.epoch);
    for (const auto& [name, value] : record.values) CHECK(row.at(name) == value);
    CHECK(row.at("seconds") == record.seconds);
    CHECK(row.at("samples_per_second") == record.samples_per_second);
  }
}

TEST_CASE("a log may have a row after so many steps") {
  const TemporaryFolder folder;
  const std::string csv = (folder.path() / "log.csv").string();
  const std::string json = (folder.path() / "log.jsonl").string();
  SmallRun({make<training::CsvLog>(csv, {.every_steps = 5}),
            make<training::JsonLinesLog>(json, {.every_steps = 4})})
      .trainer.fit();
  const std::vector<std::string> lines = lines_of(file_text(csv));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "step,epoch,lr,loss");
  CHECK(lines[1].starts_with("5,2,0.02,"));
  CHECK(lines[2].starts_with("10,4,0.02,"));
  REQUIRE(lines_of(file_text(json)).size() == 3);
  CHECK(nlohmann::json::parse(lines_of(file_text(json))[2]).at("step") == 12);
}

TEST_CASE("the log of a training that was stopped and resumed is that of one that was not") {
  const TemporaryFolder folder;
  const std::string csv = (folder.path() / "whole.csv").string();
  const std::string json = (folder.path() / "whole.jsonl").string();
  // What an earlier training left is gone when one begins anew.
  std::ofstream(csv) << "of an earlier run\n";
  SmallRun({make<training::CsvLog>(csv), make<training::JsonLinesLog>(json)}).trainer.fit();
  for (const auto& [stop, back_to] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{8, 8}, {8, 4}, {7, 1}, {2, 0}}) {
    const auto& shown_stop = stop;
    CAPTURE(shown_stop);
    const auto& shown_back_to = back_to;
    CAPTURE(shown_back_to);
    CHECK(resumed_file<training::CsvLog>((folder.path() / "log.csv").string(), stop, back_to) ==
          file_text(csv));
    CHECK(resumed_file<training::JsonLinesLog>((folder.path() / "log.jsonl").string(), stop, back_to) ==
          file_text(json));
  }
}

TEST_CASE("logs can be written by hand, with any numbers and names") {
  const TemporaryFolder folder;
  training::CsvLog csv((folder.path() / "log.csv").string());
  training::JsonLinesLog json((folder.path() / "log.jsonl").string());
  const std::vector<NamedValue> row{{"a \"b\", c", 0.1}, {"back\\slash", 1e300}, {"whole", -3},
                                    {"big", 1e15},       {"zero", -0.0},         {"none", std::nan("")},
                                    {"less", -infinity}};
  csv.write(3, row);
  json.write(3, row);
  csv.write(4, row);
  CHECK(file_text(folder.path() / "log.csv") ==
        "step,\"a \"\"b\"\", c\",back\\slash,whole,big,zero,none,less\n"
        "3,0.1,1e+300,-3,1000000000000000,-0,nan,-inf\n"
        "4,0.1,1e+300,-3,1000000000000000,-0,nan,-inf\n");
  const auto parsed = nlohmann::json::parse(file_text(folder.path() / "log.jsonl"));
  CHECK(parsed.at("a \"b\", c") == 0.1);
  CHECK(parsed.at("back\\slash") == 1e300);
  CHECK(parsed.at("whole") == -3);
  CHECK(parsed.at("none").is_null());
  CHECK(parsed.at("less").is_null());
  json.write(4, std::vector<NamedValue>{{"tab\t", 1}});
  CHECK(nlohmann::json::parse(lines_of(file_text(folder.path() / "log.jsonl"))[1]).at("tab\t") == 1);
}

TEST_CASE("logs refuse other columns, foreign files, and folders that are not there") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "log.csv").string();
  training::CsvLog csv(file);
  csv.write(1, std::vector<NamedValue>{{"loss", 1}});
  CHECK(message_of<ValueError>([&] {
          csv.write(2, std::vector<NamedValue>{{"lr", 1}});
          return 0;
        }) == "CsvLog: all rows of " + file + " have the columns step,loss: got step,lr");
  std::ofstream(file) << "step,loss\nfirst,1\n";
  CHECK(message_of<IoError>([&] {
          training::CsvLog(file).begin_at(3);
          return 0;
        }) == "CsvLog: " + file + ": a row must begin with its step: got \"first,1\"");
  CHECK(message_of<IoError>([&] {
          training::JsonLinesLog(file).begin_at(3);
          return 0;
        }) == "JsonLinesLog: " + file + ": a row must begin with its step: got \"step,loss\"");
  CHECK_THROWS_AS(training::CsvLog((folder.path() / "none" / "log.csv").string()).begin_at(0), IoError);
  CHECK(message_of<ValueError>([&] { return training::CsvLog(file, {.every_steps = -1}); }) ==
        "CsvLog: every_steps must be at least 0: got -1");
}
