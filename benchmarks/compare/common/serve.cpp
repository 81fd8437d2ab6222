#include "benchmarks/compare/common/serve.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr float rate_of_checks = 1e-3F;
constexpr float rate_of_runs = 1e-7F;

std::string json_number(double x) {
  if (std::isnan(x)) return "NaN";
  if (std::isinf(x)) return x > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{:.17g}", x);
}

std::string json_string(std::string_view s) {
  std::string text = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') text += '\\';
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  text += '"';
  return text;
}

/// A tensor in two numbers, which two engines share if they have computed the same: its product with fixed
/// random numbers, that sees every element and its place, and its norm, the scale of that.
std::string digest(const Values& values) {
  constexpr std::uint64_t stream = 999;
  double projection = 0;
  double square = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    projection += x * (2 * unit_number(stream, i) - 1);
    square += x * x;
  }
  return fmt::format("[{}, {}]", json_number(projection), json_number(std::sqrt(square)));
}

long peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

class Server {
 public:
  explicit Server(const Engine& engine) : engine_(engine) {}

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string argument;
    words >> verb >> argument;
    if (verb == "about") {
      return fmt::format(R"({{"engine": {}, "version": {}}})", json_string(engine_.name),
                         json_string(engine_.version));
    }
    if (verb == "prepare") return prepare(Name(argument));
    if (verb == "run") return run(std::stol(argument));
    if (verb == "rss") return fmt::format(R"({{"kb": {}}})", peak_kb());
    throw std::invalid_argument("no such request: " + line);
  }

 private:
  std::string prepare(const Name& name) {
    workload_.reset();
    const auto family = engine_.families.find(name.family);
    if (family == engine_.families.end()) return R"({"unknown": true})";
    engine_.set_threads(name.threads);
    workload_ = family->second(name, rate_of_checks);
    if (workload_ == nullptr) return R"({"unknown": true})";
    step();
    const std::string first = digests();
    step();
    step();
    const std::string third = digests();
    workload_.reset();  // before another is made, for the sake of the peak
    workload_ = family->second(name, rate_of_runs);
    step();
    return fmt::format(R"({{"first": [{}], "third": [{}]}})", first, third);
  }

  void step() {
    workload_->before_step();
    workload_->step();
  }

  std::string digests() {
    std::vector<std::string> all;
    for (const Values& values : workload_->outputs()) all.push_back(digest(values));
    return fmt::format("{}", fmt::join(all, ", "));
  }

  std::string run(long steps) {
    if (workload_ == nullptr) throw std::logic_error("nothing is prepared");
    std::chrono::duration<double, std::nano> time{};
    if (workload_->needs_before_step()) {
      for (long i = 0; i < steps; ++i) {
        workload_->before_step();
        const auto start = Clock::now();
        workload_->step();
        time += Clock::now() - start;
      }
    } else {
      const auto start = Clock::now();
      for (long i = 0; i < steps; ++i) workload_->step();
      time = Clock::now() - start;
    }
    return fmt::format(R"({{"ns": {}}})", json_number(time.count() / static_cast<double>(steps)));
  }

  const Engine& engine_;
  std::unique_ptr<Workload> workload_;
};

}  // namespace

Name::Name(std::string_view text) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    threads = std::stoi(std::string(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  family = text.substr(0, slash);
  if (slash != std::string_view::npos) arguments = text.substr(slash + 1);
}

std::vector<std::int64_t> Name::numbers() const {
  std::vector<std::int64_t> found;
  bool in_number = false;
  for (const char c : arguments) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !in_number) found.push_back(0);
    if (digit) found.back() = 10 * found.back() + (c - '0');
    in_number = digit;
  }
  return found;
}

Factory by_kind(Families kinds) {
  return [kinds = std::move(kinds)](const Name& name, float rate) -> std::unique_ptr<Workload> {
    const auto found = kinds.find(name.kind());
    return found == kinds.end() ? nullptr : found->second(name, rate);
  };
}

int serve(const Engine& engine) {
  Server server(engine);
  for (std::string line; std::getline(std::cin, line);) {
    std::string answer;
    try {
      answer = server.answer(line);
    } catch (const std::exception& error) {
      answer = fmt::format(R"({{"error": {}}})", json_string(error.what()));
    }
    std::cout << answer << std::endl;  // the driver waits for it
  }
  return 0;
}

}  // namespace bench
