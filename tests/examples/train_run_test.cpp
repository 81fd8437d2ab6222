#include <doctest/doctest.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/examples/train_program.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/plot/plot.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::string weights_in(const fs::path& folder) { return file_text(folder / "weights.safetensors"); }

std::string weights_after(std::vector<std::string> arguments) {
  const TemporaryFolder folder;
  const ProgramResult result = train_into(folder.path(), std::move(arguments));
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  return weights_in(folder.path());
}

const std::regex last_line("test accuracy: (0\\.\\d{4}|1\\.0000)");

}  // namespace

TEST_CASE("train says what it does, a plain line an epoch where its output is no terminal") {
  const TemporaryFolder folder;
  const ProgramResult result = train_into(folder.path(), {"--epochs", "2"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(result.out.find('\r') == std::string::npos);
  const std::vector<std::string> lines = lines_of(result.out);
  REQUIRE(lines.size() == 9);
  CHECK(lines[0] ==
        "digits: 1294 samples to train on, 144 to validate, 359 to test; 64 features, 10 classes");
  CHECK(
      lines[1] ==
      "mlp: 9610 parameters, float32; adam with learning rate 0.004 (constant), batches of 32; augmentation: "
      "none");
  CHECK(std::regex_match(
      lines[2], std::regex("gradients checked to order 2: worst error \\d\\.\\de-(0[89]|[1-9]\\d)")));
  CHECK(lines[3].find("graph of one training step: " + (folder.path() / "graph.dot").string()) == 0);
  const std::string epoch =
      ": loss \\d\\.\\d{4}, accuracy \\d\\.\\d{4}, validation loss \\d\\.\\d{4}, validation accuracy "
      "\\d\\.\\d{4}, \\d+ samples/s(, \\d+ s left)?";
  CHECK(std::regex_match(lines[4], std::regex("epoch 1/2" + epoch)));
  CHECK(std::regex_match(lines[5], std::regex("epoch 2/2" + epoch)));
  CHECK(lines[5].ends_with(" samples/s"));  // all is done
  CHECK(lines[6] == "weights: " + (folder.path() / "weights.safetensors").string() +
                        ", report: " + (folder.path() / "report.json").string());
  CHECK(lines[7].find("pictures: ") == 0);
  CHECK(std::regex_match(lines[8], last_line));
}

TEST_CASE("train --quiet prints one line, the one that others end with") {
  const TemporaryFolder folder;
  const std::vector<std::string> arguments{"--data", "spirals", "--epochs", "2"};
  const std::vector<std::string> loud = lines_of(train_into(folder.path(), arguments).out);
  std::vector<std::string> quiet_arguments = arguments;
  quiet_arguments.emplace_back("--quiet");
  const ProgramResult quiet = train_into(folder.path(), quiet_arguments);
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.err.empty());
  REQUIRE(lines_of(quiet.out).size() == 1);
  REQUIRE(!loud.empty());
  CHECK(quiet.out == loud.back() + "\n");
  CHECK(std::regex_match(loud.back(), last_line));
}

TEST_CASE("train's report says what was done") {
  const TemporaryFolder folder;
  const ProgramResult result =
      train_into(folder.path(), {"--epochs", "3", "--seed", "18446744073709551615", "--dtype", "float64",
                                 "--optimizer", "momentum", "--batch-size", "50", "--threads", "1"});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const nlohmann::json report = report_in(folder.path());
  CHECK(report.at("program") == "xtgrad train");
  CHECK(std::regex_match(report.at("version").get<std::string>(), std::regex("\\d+\\.\\d+\\.\\d+")));
  const nlohmann::json options = {{"data", "digits"},  {"model", "mlp"},
                                  {"augment", false},  {"optimizer", "momentum"},
                                  {"lr", 0.05},        {"schedule", "constant"},
                                  {"warmup", 0},       {"epochs", 3},
                                  {"batch_size", 50},  {"seed", 18446744073709551615U},
                                  {"dtype", "float64"}};
  CHECK(report.at("options") == options);
  CHECK(report.at("data").at("train_samples").get<int>() +
            report.at("data").at("validation_samples").get<int>() +
            report.at("data").at("test_samples").get<int>() ==
        1797);
  CHECK(report.at("data").at("features") == 64);
  CHECK(report.at("data").at("classes") == 10);
  CHECK(report.at("parameters") == 64 * 128 + 128 + 128 * 10 + 10);
  CHECK(report.at("gradient_check").at("order") == 2);
  CHECK(report.at("gradient_check").at("worst_error").get<double>() < 1e-7);
  CHECK(report.at("gradient_check").at("smallest_detectable").get<double>() < 1e-4);
  CHECK(report.at("gradient_check").at("evaluations").get<int>() > 100);

  const nlohmann::json& epochs = report.at("epochs");
  REQUIRE(epochs.size() == 3);
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    CHECK(epochs[i].at("epoch") == i + 1);
  }
  const nlohmann::json timing = nlohmann::json::parse(file_text(folder.path() / "timing.json"));
  CHECK(timing.at("threads") == 1);
  CHECK(timing.at("workers") == 0);
  CHECK(timing.at("resumed") == false);
  REQUIRE(timing.at("epochs").size() == 3);
  for (const nlohmann::json& epoch : timing.at("epochs")) {
    CHECK(epoch.at("samples_per_second").get<double>() > 0);
    CHECK(epoch.at("seconds").get<double>() > 0);
  }
  CHECK(timing.at("training_seconds").get<double>() > 0);
  CHECK(timing.at("seconds").get<double>() > timing.at("training_seconds").get<double>());
  // It learns; by chance the accuracy would be 0.1.
  CHECK(epochs[2].at("loss").get<double>() < 0.7 * epochs[0].at("loss").get<double>());
  CHECK(epochs[2].at("accuracy").get<double>() > 0.8);
  CHECK(epochs[2].at("validation_accuracy").get<double>() > 0.8);
  CHECK(epochs[2].at("validation_loss").get<double>() < epochs[0].at("validation_loss").get<double>());
  CHECK(report.at("test_loss").get<double>() > 0);
  CHECK(result.out.substr(result.out.size() - std::string("0.1234\n").size(), 6) ==
        fmt::format("{:.4f}", report.at("test_accuracy").get<double>()));
}

TEST_CASE("train's weights are in a safetensors file, by name and dtype") {
  const TemporaryFolder folder;
  REQUIRE(train_into(folder.path(), {"--epochs", "1", "--dtype", "float64", "--quiet"}).exit_code == 0);
  const xtgrad::nn::StateDict weights = xtgrad::nn::load(folder.path() / "weights.safetensors");
  CHECK(weights.at("network.layers.0.weight").shape() == xtgrad::Shape{128, 64});
  CHECK(weights.at("network.layers.0.bias").shape() == xtgrad::Shape{128});
  CHECK(weights.at("network.layers.1.weight").shape() == xtgrad::Shape{10, 128});
  CHECK(weights.at("network.layers.1.bias").dtype() == xtgrad::float64);
  CHECK(files_in(folder.path()).count("graph.dot") == 1);
}

TEST_CASE("train gives the same bits for the same seed and for any number of threads") {
  const std::vector<std::string> arguments{"--epochs", "2", "--batch-size", "300", "--quiet", "--seed", "5"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return weights_after(more);
  };
  const std::string weights = with({"--threads", "1"});
  CHECK(weights == with({"--threads", "1"}));
  CHECK(weights == with({"--threads", "2"}));
  CHECK(weights == with({"--threads", "7"}));
  CHECK(weights == with({"--replay", "--threads", "1"}));
  CHECK(weights == with({"--replay", "--threads", "3"}));
  CHECK(weights != with({"--seed", "6"}));
}

TEST_CASE("train gives a conv net the same bits for any number of threads and workers") {
  const std::vector<std::string> arguments{"--model", "convnet", "--epochs",     "1",  "--quiet",
                                           "--seed",  "2",       "--batch-size", "256"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return weights_after(more);
  };
  const std::string weights = with({"--augment", "--threads", "1"});
  CHECK(weights == with({"--augment", "--threads", "2"}));
  CHECK(weights == with({"--augment", "--threads", "3", "--workers", "2"}));
  CHECK(weights == with({"--augment", "--replay", "--threads", "2"}));
  CHECK(weights != with({"--threads", "2"}));
}

TEST_CASE("train shows a bar on a terminal") {
  const TemporaryFolder folder;
  const ProgramResult result =
      train_into(folder.path(), {"--data", "spirals", "--epochs", "30"}, {.terminal = true, .columns = 110});
  CHECK(result.exit_code == 0);
  // The terminal turns \n into \r\n; what follows the last \r of a line is what stays to be seen.
  std::vector<std::string> shown;
  for (std::string line : lines_of(result.out)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    shown.push_back(line.substr(line.rfind('\r') + 1));
    CHECK(shown.back().size() < 110);
  }
  REQUIRE(shown.size() == 8);
  CHECK(std::regex_match(shown[4],
                         std::regex("epoch 30/30 \\[#{5,30}\\] loss \\d\\.\\d{4}  accuracy \\d\\.\\d{4}  "
                                    "validation accuracy \\d\\.\\d{4}  \\d+ samples/s *")));
  CHECK(std::regex_match(shown[7], last_line));
}

TEST_CASE("train's bar fits a terminal of 60 columns, with the validation's accuracy") {
  const TemporaryFolder folder;
  const ProgramResult result =
      train_into(folder.path(), {"--data", "spirals", "--epochs", "30"}, {.terminal = true, .columns = 60});
  REQUIRE(result.exit_code == 0);
  std::string last;
  for (std::string line : lines_of(result.out)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line = line.substr(line.rfind('\r') + 1);
    if (line.find("epoch ") != 0) continue;
    CHECK(line.size() < 60);
    last = line;
  }
  CHECK(std::regex_match(
      last, std::regex("epoch 30/30 \\[#{5,30}\\] loss \\d\\.\\d{4}  validation accuracy \\d\\.\\d{4} *")));
}

TEST_CASE("train ends with exit code 1 where the loss explodes or is no number") {
  const TemporaryFolder folder;
  const auto error_at = [&](const std::string& data, const std::string& lr) {
    const ProgramResult result = train_into(
        folder.path(), {"--data", data, "--optimizer", "sgd", "--lr", lr, "--epochs", "3", "--quiet"});
    CHECK(result.exit_code == 1);
    CHECK(result.out.empty());
    CHECK(!fs::exists(folder.path() / "weights.safetensors"));
    return result.err;
  };
  CHECK(std::regex_match(
      error_at("digits", "1e6"),
      std::regex(
          "train: the loss has exploded: it was \\d\\.\\d+ at first and is \\d\\.\\d+e\\+\\d+ in epoch 1 at "
          "learning rate 1000000: try a smaller --lr\n")));
  CHECK(std::regex_match(
      error_at("spirals", "1e30"),
      std::regex("train: the loss became -?nan in epoch 1 at learning rate 1e\\+30: try a smaller --lr\n")));
}

TEST_CASE("train refuses a folder that another training writes to, and takes it when that has gone") {
  const TemporaryFolder folder;
  const int other = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  const std::vector<std::string> arguments{"--data", "spirals", "--epochs", "1", "--quiet"};
  const ProgramResult refused = train_into(folder.path(), arguments);
  CHECK(refused.exit_code == 1);
  CHECK(refused.err == "train: --out: another training writes to " + folder.path().string() +
                           ": wait for its end, or name another folder\n");
  CHECK(files_in(folder.path()).empty());
  ::close(other);
  CHECK(train_into(folder.path(), arguments).exit_code == 0);
  // One that was killed has left no lock.
  const ProgramResult killed = train_into(folder.path(), {"--data", "spirals", "--epochs", "1000000"},
                                          {.signal = SIGKILL, .signal_after = "epoch 2/"});
  REQUIRE(killed.exit_code == -SIGKILL);
  CHECK(train_into(folder.path(), arguments).exit_code == 0);
}

TEST_CASE("train obeys Ctrl-C where it waits for a file, before the training has begun") {
  const TemporaryFolder folder;
  const TemporaryFolder data;
  fs::create_directory(data.path() / "mnist");
  for (const std::string name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    REQUIRE(::mkfifo((data.path() / "mnist" / name).c_str(), 0600) == 0);
  }
  const ProgramResult result =
      train_into(folder.path(), {"--data", "mnist", "--data-dir", data.path().string()},
                 {.signal = SIGINT, .signal_after = "reading mnist\n"});
  CHECK(result.exit_code == -SIGINT);
  CHECK(result.out == "reading mnist\n");
  CHECK(result.err == "train: interrupted before the training began\n");
}

TEST_CASE("train learns spirals with every model and optimizer") {
  for (const std::string model : {"linear", "perceptron", "mlp"}) {
    for (const std::string optimizer : {"sgd", "momentum", "adam"}) {
      CAPTURE(model);
      CAPTURE(optimizer);
      const TemporaryFolder folder;
      const ProgramResult result = train_into(
          folder.path(),
          {"--data", "spirals", "--model", model, "--optimizer", optimizer, "--epochs", "20", "--quiet"});
      CHECK(result.exit_code == 0);
      CHECK(result.err.empty());
      const nlohmann::json report = report_in(folder.path());
      CHECK(report.at("gradient_check").at("worst_error").get<double>() < 1e-7);
      const nlohmann::json& epochs = report.at("epochs");
      CHECK(epochs.back().at("loss").get<double>() < epochs.front().at("loss").get<double>());
      // A line cannot part the arms of a spiral, but does better than chance, which is 0.33.
      CHECK(report.at("test_accuracy").get<double>() > (model == "mlp" ? 0.8 : 0.36));
    }
  }
}

TEST_CASE("train stopped by Ctrl-C leaves the files of an earlier run as they were, and no others") {
  const TemporaryFolder folder;
  REQUIRE(train_into(folder.path(), {"--data", "spirals", "--epochs", "1", "--quiet"}).exit_code == 0);
  const std::string weights = weights_in(folder.path());
  const std::string report = file_text(folder.path() / "report.json");
  const std::set<std::string> files = files_in(folder.path());
  const ProgramResult result = train_into(folder.path(), {"--data", "spirals", "--epochs", "1000000"},
                                          {.signal = SIGINT, .signal_after = "epoch 2/"});
  CHECK(result.exit_code == -SIGINT);
  CHECK(result.err ==
        "train: interrupted, weights and report were not saved; a run with --checkpoint-every N can be "
        "resumed\n");
  CHECK(result.out.find("test accuracy") == std::string::npos);
  CHECK(weights_in(folder.path()) == weights);
  CHECK(file_text(folder.path() / "report.json") == report);
  CHECK(files_in(folder.path()) == files);
}

TEST_CASE("train goes without a picture where there is no graphviz") {
  const TemporaryFolder folder;
  const TemporaryFolder empty;
  const ProgramResult result = train_into(folder.path(), {"--data", "spirals", "--epochs", "1"},
                                          {.environment = {"PATH=" + empty.path().string()}});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(result.out.find("graph of one training step: " + (folder.path() / "graph.dot").string() +
                        " (no picture: graphviz's dot is not installed)\n") != std::string::npos);
  std::set<std::string> expected{"graph.dot", "report.json", "timing.json", "weights.safetensors"};
  if (xtgrad::plot::available()) expected.insert({"confusion_matrix.png", "learning_curves.png"});
  CHECK(files_in(folder.path()) == expected);
}

TEST_CASE("train draws the graph of a training step with its parameters' names") {
  const TemporaryFolder folder;
  REQUIRE(train_into(folder.path(), {"--epochs", "1", "--quiet"}).exit_code == 0);
  const std::string dot = file_text(folder.path() / "graph.dot");
  CHECK(dot.find("digraph") == 0);
  for (const std::string name :
       {"network.layers.0.weight", "network.layers.0.bias", "network.layers.1.weight",
        "network.layers.1.bias", "inputs", "loss", "relu", "matmul"}) {
    CAPTURE(name);
    CHECK(dot.find(name) != std::string::npos);
  }
}

TEST_CASE("train --explore writes a page of one training step, and trains as it does without") {
  const TemporaryFolder folder;
  const fs::path page = folder.path() / "step.html";
  const std::vector<std::string> arguments{"--model", "convnet", "--epochs", "1"};
  std::vector<std::string> exploring = arguments;
  exploring.insert(exploring.end(), {"--explore", page.string()});
  const ProgramResult result = train_into(folder.path() / "out", exploring);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(result.out.find("one training step, step by step: " + page.string() + "\n") != std::string::npos);
  const std::string html = file_text(page);
  CHECK(html.find("<h1>convnet on digits: one training step of 8 samples</h1>") != std::string::npos);
  for (const char* operation :
       {"conv2d", "max_pool2d", "softmax_cross_entropy.rule0", "conv2d_weight_grad", "adam_step"})
    CHECK_MESSAGE(html.find(fmt::format("\"operation\":\"{}\"", operation)) != std::string::npos, operation);
  CHECK(weights_in(folder.path() / "out") == weights_after(arguments));

  const std::string nowhere = (folder.path() / "none" / "step.html").string();
  const ProgramResult refused = train_into(folder.path() / "out", {"--explore", nowhere});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find(nowhere) != std::string::npos);
}

TEST_CASE("the picture in the documentation is of the graph that train draws") {
  const TemporaryFolder folder;
  REQUIRE(train_into(folder.path(), {"--model", "convnet", "--epochs", "1", "--quiet"}).exit_code == 0);
  const auto all = [](const std::string& text, const char* pattern) {
    const std::regex expression(pattern);
    std::multiset<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
      found.insert((*it)[1]);
    }
    return found;
  };
  // What a node says stands in lines of its own in the picture.
  const std::string dot =
      std::regex_replace(file_text(folder.path() / "graph.dot"), std::regex(R"(\\n)"), "\"; label=\"");
  const std::string picture =
      std::regex_replace(file_text(fs::path(XTGRAD_SOURCE_DIR) / "docs/images/training_step.svg"),
                         std::regex("&#45;"), "-");  // as graphviz writes it
  CHECK(all(dot, "label=\"([^\"]+)\"") == all(picture, "<text [^>]*>([^<]+)</text>"));
}
