#include "xtgrad/training/row_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/training/trainer.h"

namespace xtgrad::inline v1::training {
namespace {

/// Whole or not at all: half a line would be taken for the beginning of the next one.
void append(std::string_view log, const std::string& path, const std::string& text) {
  std::error_code unknown;
  const std::uintmax_t before = std::filesystem::file_size(path, unknown);
  std::FILE* file = std::fopen(path.c_str(), "ab");
  bool done = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int error = errno;
  if (file != nullptr && std::fclose(file) != 0) {  // writes what is buffered
    if (done) error = errno;
    done = false;
  }
  if (done) return;
  std::error_code ignored;
  if (!unknown) std::filesystem::resize_file(path, before, ignored);
  throw IoError(fmt::format("{}: cannot write to {}: {}", log, path, std::generic_category().message(error)));
}

std::optional<std::int64_t> number_at(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop == text.data() + text.size() || *stop != ',') return std::nullopt;
  return number;
}

std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\n\r") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

/// A number in as few digits as bring it back; whole numbers, such as epochs, without a fraction.
std::string digits_of(double value) {
  constexpr double exact = 9007199254740992;  // 2^53
  if (std::abs(value) < exact && value == std::trunc(value) && !(value == 0 && std::signbit(value)))
    return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

}  // namespace

RowLog::RowLog(std::string_view name, std::string path, const LogOptions& options)
    : name_(name), path_(std::move(path)), options_(options) {
  nn::detail::check_option(name, "every_steps", options.every_steps, 0);
}

void RowLog::begin_at(std::int64_t step) {
  std::string kept;
  forget();
  std::error_code error;
  if (step > 0 && std::filesystem::exists(path_, error)) {
    const std::string text = read_file(path_);
    // What follows the last line end was cut off by a kill.
    for (std::size_t at = 0, end = text.find('\n'); end != std::string::npos;
         at = end + 1, end = text.find('\n', at)) {
      const std::string_view line = std::string_view(text).substr(at, end - at);
      const auto of = step_of(line);
      if (!of || *of <= step) kept += fmt::format("{}\n", line);
    }
  }
  write_file_atomically(path_, kept);
  append(name_, path_, "");  // a file that may be replaced, and not written to, is found out here
  begun_ = true;
}

void RowLog::write(std::int64_t step, std::span<const NamedValue> values) {
  if (!begun_) begin_at(0);
  append(name_, path_, lines_of(step, values));
}

void RowLog::begin(Trainer& trainer) { begin_at(trainer.step()); }

void RowLog::after_step(Trainer& /*trainer*/, const StepRecord& step) {
  if (options_.every_steps == 0 || step.step % options_.every_steps != 0) return;
  const std::vector<NamedValue> row{
      {"epoch", static_cast<double>(step.epoch)}, {"lr", step.lr}, {"loss", step.loss}};
  write(step.step, row);
}

void RowLog::after_epoch(Trainer& /*trainer*/, const EpochRecord& epoch) {
  if (options_.every_steps != 0) return;
  std::vector<NamedValue> row{{"epoch", static_cast<double>(epoch.epoch)}, {"lr", epoch.lr}};
  row.insert(row.end(), epoch.values.begin(), epoch.values.end());
  if (options_.times) {
    row.push_back({"samples_per_second", epoch.samples_per_second});
    row.push_back({"seconds", epoch.seconds});
  }
  write(epoch.step, row);
}

CsvLog::CsvLog(std::string path, const LogOptions& options) : RowLog("CsvLog", std::move(path), options) {}

std::string CsvLog::lines_of(std::int64_t step, std::span<const NamedValue> values) {
  std::string header = "step";
  std::string row = fmt::format("{}", step);
  for (const NamedValue& value : values) {
    header += fmt::format(",{}", csv_field(value.name));
    row += fmt::format(",{}", digits_of(value.value));
  }
  if (header_.empty()) {
    header_ = header;
    return fmt::format("{}\n{}\n", header, row);
  }
  if (header == header_) return row + "\n";
  throw ValueError(
      fmt::format("CsvLog: all rows of {} have the columns {}: got {}", path(), header_, header));
}

std::optional<std::int64_t> CsvLog::step_of(std::string_view line) {
  if (header_.empty()) {
    header_ = line;
    return std::nullopt;
  }
  const auto step = number_at(fmt::format("{},", line));
  if (step) return step;
  throw IoError(fmt::format("CsvLog: {}: a row must begin with its step: got \"{}\"", path(), line));
}

JsonLinesLog::JsonLinesLog(std::string path, const LogOptions& options)
    : RowLog("JsonLinesLog", std::move(path), options) {}

std::string JsonLinesLog::lines_of(std::int64_t step, std::span<const NamedValue> values) {
  std::string row = fmt::format("{{\"step\": {}", step);
  for (const auto& [name, value] : values) {
    row += fmt::format(", {}: {}", json_string(name), std::isfinite(value) ? digits_of(value) : "null");
  }
  return row + "}\n";
}

std::optional<std::int64_t> JsonLinesLog::step_of(std::string_view line) {
  constexpr std::string_view start = "{\"step\": ";
  if (line.starts_with(start)) {
    std::string rest(line.substr(start.size()));
    if (rest.ends_with('}')) rest.back() = ',';
    if (const auto step = number_at(rest)) return step;
  }
  throw IoError(fmt::format("JsonLinesLog: {}: a row must begin with its step: got \"{}\"", path(), line));
}

}  // namespace xtgrad::v1::training
