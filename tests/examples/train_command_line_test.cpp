#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/examples/train_program.h"
#include "tests/support/skip.h"
#include "tests/support/unwritable_folder.h"

using namespace xtgrad::testing;

TEST_CASE("train --help lists every option with its default") {
  const ProgramResult result = train({"--help"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  struct Expected {
    std::string option;
    std::string default_text;
  };
  for (const Expected& expected :
       std::vector<Expected>{{"--data NAME", "(default: digits)"},
                             {"--model NAME", "(default: mlp)"},
                             {"--optimizer NAME", "(default: adam)"},
                             {"--data-dir DIR", "(default: XTGRAD_DATA, ./data, the system's)"},
                             {"--augment Excludes: --no-augment\n", "Excludes"},
                             {"--no-augment Excludes: --augment\n", "Excludes"},
                             {"--lr NUMBER", "(default: see below)"},
                             {"--schedule NAME", "(default: see below)"},
                             {"--warmup N", "(default: 0)"},
                             {"--epochs N", "(default: see below)"},
                             {"--batch-size N", "(default: see below)"},
                             {"--workers N", "(default: 0)"},
                             {"--replay", "to the same bits (default: no)"},
                             {"--checkpoint-every N", "(default: 0, or what the resumed run had)"},
                             {"  --resume", "if --checkpoint-every has left one (default: no)"},
                             {"--seed N", "(default: 0)"},
                             {"--dtype NAME", "(default: float32)"},
                             {"--threads N", "(default: one a core)"},
                             {"--out DIR", "(default: out/train)"},
                             {"--explore FILE", "(default: none)"},
                             {"--quiet", "(default: no)"}}) {
    CAPTURE(expected.option);
    const std::size_t at = result.out.find(expected.option);
    REQUIRE(at != std::string::npos);
    // The text is wrapped nowhere: each option is one line.
    const std::string line = result.out.substr(at, result.out.find('\n', at) - at);
    CHECK_MESSAGE(line.find(expected.default_text) != std::string::npos, line);
  }
  for (const std::string& row : std::vector<std::string>{
           "sgd begins with 0.5\nand momentum with 0.05, or 0.1 and 0.02 for a convnet.\n",
           "  data           model    epochs  batch     lr  schedule  augment\n",
           "  digits         mlp          40     32  0.004  constant  no\n",
           "  digits         convnet      20     32  0.004  cosine    no\n",
           "  mnist          convnet       3     64  0.003  cosine    yes\n"}) {
    CHECK_MESSAGE(result.out.find(row) != std::string::npos, row);
  }
}

TEST_CASE("train --help says what must be asked for before a run can be resumed, and the exit codes") {
  const std::string help = train({"--help"}).out;
  for (const std::string& text : std::vector<std::string>{
           "A run with --checkpoint-every that was stopped or killed goes on with --resume,",
           "by the same build on the same processor. One without\nleaves nothing to go on from.",
           "Exit code: 0; 2 for a mistake in the command line; 1 for any other failure,"}) {
    CHECK_MESSAGE(help.find(text) != std::string::npos, text);
  }
}

TEST_CASE("train answers bad usage with one line and exit code 2") {
  struct Expected {
    std::vector<std::string> arguments;
    std::string message;
  };
  for (const Expected& expected : std::vector<Expected>{
           {{"--lr", "-1"}, "train: --lr: must be positive, got -1\n"},
           {{"--lr", "0"}, "train: --lr: must be positive, got 0\n"},
           {{"--lr", "fast"}, "train: --lr: must be a number, got fast\n"},
           {{"--lr", "nan"}, "train: --lr: must be a number, got nan\n"},
           {{"--lr", "1e-3x"}, "train: --lr: must be a number, got 1e-3x\n"},
           {{"--lr"}, "train: --lr: needs a value\n"},
           {{"--epochs", "0"}, "train: --epochs: must be a whole number from 1 to 1000000, got 0\n"},
           {{"--epochs", "2.5"}, "train: --epochs: must be a whole number from 1 to 1000000, got 2.5\n"},
           {{"--batch-size", "-4"},
            "train: --batch-size: must be a whole number from 1 to 1000000, got -4\n"},
           {{"--seed", "-1"},
            "train: --seed: must be a whole number from 0 to 18446744073709551615, got -1\n"},
           {{"--seed", "18446744073709551616"},
            "train: --seed: must be a whole number from 0 to 18446744073709551615, got "
            "18446744073709551616\n"},
           {{"--threads", "0"}, "train: --threads: must be a whole number from 1 to 1024, got 0\n"},
           {{"--data", "cats"},
            "train: --data: must be one of digits, spirals, mnist, fashion-mnist, cifar10, got cats\n"},
           {{"--data-dir", ""}, "train: --data-dir: must not be empty\n"},
           {{"--data-dir", "x"}, "train: --data-dir: digits come with the program, from no folder\n"},
           {{"--model", "transformer"},
            "train: --model: must be one of linear, perceptron, mlp, convnet, got transformer\n"},
           {{"--data", "spirals", "--model", "convnet"},
            "train: --model: convnet needs images, and spirals are points\n"},
           {{"--data", "spirals", "--augment"}, "train: --augment: needs images, and spirals are points\n"},
           {{"--augment", "--no-augment"}, "train: --augment excludes --no-augment\n"},
           {{"--schedule", "linear"},
            "train: --schedule: must be one of constant, step, cosine, got linear\n"},
           {{"--warmup", "-1"}, "train: --warmup: must be a whole number from 0 to 1000000000, got -1\n"},
           {{"--workers", "-1"}, "train: --workers: must be a whole number from 0 to 1024, got -1\n"},
           {{"--checkpoint-every", "1.5"},
            "train: --checkpoint-every: must be a whole number from 0 to 1000000000, got 1.5\n"},
           {{"--optimizer", "lion"}, "train: --optimizer: must be one of sgd, momentum, adam, got lion\n"},
           {{"--dtype", "int64"}, "train: --dtype: must be one of float32, float64, got int64\n"},
           {{"--out", ""}, "train: --out: must not be empty\n"},
           {{"--momentum", "0.9"}, "train: unknown argument: --momentum 0.9\n"},
           {{"digits"}, "train: unknown argument: digits\n"}}) {
    CAPTURE(expected.message);
    const ProgramResult result = train(expected.arguments);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(result.err == expected.message);
  }
}

TEST_CASE("train takes the last of two values, so a script's user can overrule it") {
  CHECK(train({"--epochs", "5", "--epochs", "0"}).err ==
        "train: --epochs: must be a whole number from 1 to 1000000, got 0\n");
  const TemporaryFolder folder;
  const ProgramResult result = train_into(folder.path(), {"--model", "mlp", "--model", "linear", "--epochs",
                                                          "7", "--epochs", "1", "--data", "spirals"});
  CHECK(result.exit_code == 0);
  CHECK(report_in(folder.path()).at("options").at("model") == "linear");
  CHECK(report_in(folder.path()).at("options").at("epochs") == 1);
}

TEST_CASE("train says what it cannot write to, before it trains, with exit code 1") {
  const TemporaryFolder folder;
  REQUIRE(train_into(folder.path(), {"--epochs", "1", "--quiet", "--data", "spirals"}).exit_code == 0);
  const ProgramResult result = train_into(folder.path() / "report.json" / "deeper", {});
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  CHECK(result.err == "train: cannot create the folder " +
                          (folder.path() / "report.json" / "deeper").string() + ": Not a directory\n");
}

TEST_CASE("train says that its folder takes no files, before it trains, with exit code 1") {
  const auto folder = unwritable_folder();
  if (folder.empty()) return skip("every folder takes files here");
  const ProgramResult result = train_into(folder, {"--data", "spirals", "--epochs", "1"});
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  CHECK(result.err.find("train: --out: cannot write to the folder " + folder.string() + ": ") == 0);
}

TEST_CASE("train says which epoch and learning rate made the loss no number, with exit code 1") {
  const TemporaryFolder folder;
  const ProgramResult result =
      train_into(folder.path(), {"--data", "spirals", "--optimizer", "sgd", "--lr", "1e30", "--epochs", "2"});
  CHECK(result.exit_code == 1);
  CHECK(lines_of(result.err).size() == 1);
  CHECK(result.err.find("train: the loss became ") == 0);
  CHECK(result.err.find(" in epoch 1 at learning rate 1e+30: try a smaller --lr\n") != std::string::npos);
  CHECK(!std::filesystem::exists(folder.path() / "weights.safetensors"));
  CHECK(!std::filesystem::exists(folder.path() / "report.json"));
}

TEST_CASE("train does not call it success if its answer could not be written") {
  const TemporaryFolder folder;
  const ProgramResult result = train_into(folder.path(), {"--data", "spirals", "--epochs", "1", "--quiet"},
                                          {.stdout_file = "/dev/full"});
  CHECK(result.exit_code == 1);
  CHECK(result.err == "train: cannot write to standard output\n");
}

TEST_CASE("train refuses a warm-up that is all of the training, as bad usage, before it checks gradients") {
  const TemporaryFolder folder;
  const ProgramResult result =
      train_into(folder.path(), {"--data", "spirals", "--epochs", "2", "--batch-size", "100", "--warmup",
                                 "18", "--schedule", "cosine"});
  CHECK(result.exit_code == 2);
  CHECK(result.out.find("gradients") == std::string::npos);
  CHECK(result.err == "train: --warmup: must be less than the 18 steps of the whole training, got 18\n");
}

TEST_CASE("train says where it looked for data, and how to get them") {
  const TemporaryFolder folder;
  const TemporaryFolder empty;
  const std::vector<std::string> data{"mnist", "cifar10"};
  for (const std::string& name : data) {
    const ProgramResult result =
        train_into(folder.path(), {"--data", name, "--data-dir", empty.path().string()});
    CHECK(result.exit_code == 1);
    CHECK(result.out == "reading " + name + "\n");
    // The library's lines, as they are.
    const std::vector<std::string> lines = lines_of(result.err);
    REQUIRE(lines.size() > 5);
    CHECK(lines[0].find("train: " + name + ": no folder has all of ") == 0);
    CHECK(lines[0].ends_with(" Looked in"));
    const std::size_t how = lines.size() - 3;
    for (std::size_t i = 1; i < how; ++i) CHECK(lines[i].find("  " + empty.path().string()) == 0);
    CHECK(lines[how] == "How to get the data:");
    CHECK(lines[how + 1] == "  scripts/download_data.sh " + name);
    CHECK(lines[how + 2].find(
              "In data/ or in a folder there it is found. Elsewhere name its folder in .root") == 0);
  }
  // Without --data-dir it is the environment that names a folder.
  const ProgramResult result = train_into(folder.path(), {"--data", "mnist"},
                                          {.environment = {"XTGRAD_DATA=" + empty.path().string()}});
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("XTGRAD_DATA") != std::string::npos);
  CHECK(result.err.find(empty.path().string()) != std::string::npos);
}
