// What char_gpt and gru_text share: a text as numbers, what is known of it without a model, and the command
// line.
#pragma once

#include <xtgrad/xtgrad.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace text {

/// examples/text/tales.txt, which examples/text/write_tales.py has written.
inline constexpr std::string_view tales =
#include "tales.inc"
    ;

/// The first nine tenths of a text are to be learnt, the rest to be told how well; a character is the number
/// of its place in the alphabet.
struct Corpus {
  std::string alphabet;  // the characters there are, in order
  xtgrad::Tensor train;  // int64 [length]
  xtgrad::Tensor valid;

  explicit Corpus(std::string_view text) : alphabet(text) {
    std::sort(alphabet.begin(), alphabet.end());
    alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
    const std::size_t cut = text.size() - text.size() / 10;
    train = encode(text.substr(0, cut));
    valid = encode(text.substr(cut));
  }

  /// How many kinds of characters there are.
  [[nodiscard]] std::int64_t kinds() const { return static_cast<std::int64_t>(alphabet.size()); }
  /// Throws ValueError for a character that the text does not have.
  [[nodiscard]] xtgrad::Tensor encode(std::string_view some) const {
    std::vector<std::int64_t> numbers;
    for (const char c : some) {
      const std::size_t number = alphabet.find(c);
      if (number == std::string::npos) throw xtgrad::ValueError("text: a character that it does not have");
      numbers.push_back(static_cast<std::int64_t>(number));
    }
    return xtgrad::from_vector(numbers);
  }
  /// Throws ValueError for a text of fewer characters.
  void require(std::int64_t least) const {
    const std::int64_t length = train.numel() + valid.numel();
    if (length >= least) return;
    throw xtgrad::ValueError("text: needs at least " + std::to_string(least) + " characters: got " +
                             std::to_string(length));
  }
  [[nodiscard]] char operator[](std::int64_t number) const {
    return alphabet[static_cast<std::size_t>(number)];
  }
};

/// Characters, and those that follow them.
struct Batch {
  xtgrad::Tensor inputs;   // int64 [n, length]
  xtgrad::Tensor targets;  // the same
};

/// `length` characters from each of the places `starts` [n].
inline Batch windows(const xtgrad::Tensor& part, const xtgrad::Tensor& starts, std::int64_t length) {
  const xtgrad::Tensor places = reshape(starts, {starts.numel(), 1}) + xtgrad::arange(length);
  return {take(part, places), take(part, places + 1)};
}

/// Bits a character of the validation part, if each is guessed from the one before it: by how often the two
/// are neighbours in the other part, once more than counted.
inline double bigram_bits(const Corpus& corpus) {
  const auto kinds = static_cast<std::size_t>(corpus.kinds());
  std::vector<double> counts(kinds * kinds, 1), rows(kinds, static_cast<double>(kinds));
  const auto each_pair = [&](const xtgrad::Tensor& part, auto visit) {
    const auto numbers = part.data<std::int64_t>();
    for (std::size_t i = 1; i < numbers.size(); ++i)
      visit(static_cast<std::size_t>(numbers[i - 1]), static_cast<std::size_t>(numbers[i]));
  };
  each_pair(corpus.train, [&](std::size_t a, std::size_t b) {
    ++counts[a * kinds + b];
    ++rows[a];
  });
  double bits = 0;
  each_pair(corpus.valid,
            [&](std::size_t a, std::size_t b) { bits -= std::log2(counts[a * kinds + b] / rows[a]); });
  return bits / static_cast<double>(corpus.valid.numel() - 1);
}

/// One character for logits [kinds]: below temperature 1 likely ones are likelier, and the rest rarer.
inline std::int64_t draw(const xtgrad::Tensor& logits, double temperature, xtgrad::Random& random) {
  return multinomial(softmax(logits / temperature, 0), 1, {}, random).item_int64();
}

struct Arguments {
  int steps = 0;
  std::uint64_t seed = 0;
  double temperature = 0.7;
  std::string file;     // a text of one's own
  bool replay = false;  // capture the training step
  bool check = false;

  /// Ends the program where they are wrong, or help is asked for.
  Arguments(const char* about, int usual_steps, int argc, char** argv) : steps(usual_steps) {
    CLI::App app(about);
    app.add_option("--steps", steps, "steps of training")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--seed", seed, "of weights, batches and the sample")->capture_default_str();
    app.add_option("--temperature", temperature, "of the sample")
        ->check(CLI::Range(0.01, 100.0))
        ->capture_default_str();
    app.add_option("--text", file, "a text to learn instead of the tales")->check(CLI::ExistingFile);
    app.add_flag("--replay", replay, "capture the step of training, and say what that saves");
    app.add_flag("--check", check, "check the derivatives instead");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      std::exit(app.exit(error));
    }
  }

  /// Whether a step is to be a replay. At first every other one is, so that their times can be compared; it
  /// makes no other difference.
  [[nodiscard]] bool replays(std::int64_t step) const { return replay && (step >= 40 || step % 2 == 1); }

  [[nodiscard]] Corpus corpus() const {
    if (file.empty()) return Corpus(tales);
    std::ifstream in(file, std::ios::binary);
    return Corpus(std::string(std::istreambuf_iterator<char>(in), {}));
  }
};

/// What a training run prints.
class Report {
 public:
  Report(const Corpus& corpus, std::int64_t parameters) {
    std::printf("%d characters of %d kinds; bits a character: %.2f if all are alike, %.2f by pairs\n",
                static_cast<int>(corpus.train.numel() + corpus.valid.numel()),
                static_cast<int>(corpus.kinds()), std::log2(static_cast<double>(corpus.kinds())),
                bigram_bits(corpus));
    std::printf("a model of %d parameters\n", static_cast<int>(parameters));
  }

  /// Losses are in nats.
  void print(int step, double train_loss, double valid_loss) const {
    std::printf("step %4d: loss %.3f, validation %.3f, %.2f bits a character, perplexity %.2f\n", step,
                train_loss, valid_loss, valid_loss / std::numbers::ln2, std::exp(valid_loss));
    std::fflush(stdout);
  }

  /// Runs a step, and takes its time if it is one of the first twenty of its kind.
  auto timed(bool replayed, auto&& step) {
    const auto start = std::chrono::steady_clock::now();
    auto result = step();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    std::vector<double>& times = times_[replayed ? 1 : 0];
    if (times.size() < 20) times.push_back(time.count());
    return result;
  }
  void print_times() {
    std::printf("a step takes %.1f ms", median(times_[0]));
    if (!times_[1].empty()) std::printf(", replayed %.1f ms", median(times_[1]));
    std::printf("\n");
  }

 private:
  static double median(std::vector<double>& times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
  }

  std::vector<double> times_[2];  // of the function, and of its replays
};

}  // namespace text
