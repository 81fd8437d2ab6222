#include "xtgrad/datasets/csv_records.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

constexpr int end_of_content = -1;
// Far above any table, and low enough that what is no table, such as a quote that never closes or a gzip of
// nothing but commas, is refused before it fills the memory.
constexpr std::size_t most_columns = std::size_t{1} << 20;
constexpr std::size_t most_bytes = std::size_t{1} << 24;

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool ends_line(int c) { return c == '\n' || c == '\r' || c == end_of_content; }

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string result;
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  if (text.size() > most) result += "...";
  return result;
}

CsvRecords::CsvRecords(ByteReader& reader, char separator)
    : reader_(reader), separator_(separator), piece_(std::size_t{1} << 16) {
  skip_byte_order_mark();
}

int CsvRecords::peek() {
  if (next_ == end_) {
    next_ = 0;
    end_ = reader_.read(piece_);
    if (end_ == 0) return end_of_content;
  }
  return std::to_integer<int>(piece_[next_]);
}

void CsvRecords::skip() {
  ++next_;
  ++offset_;
}

void CsvRecords::skip_byte_order_mark() {
  // The first piece holds three bytes if the content does.
  peek();
  constexpr std::byte mark[] = {std::byte{0xef}, std::byte{0xbb}, std::byte{0xbf}};
  if (end_ >= 3 && piece_[0] == mark[0] && piece_[1] == mark[1] && piece_[2] == mark[2]) {
    next_ += 3;
    offset_ += 3;
  }
}

bool CsvRecords::next(CsvRecord& record) {
  for (;;) {
    record.text_.clear();
    record.fields_.clear();
    record.line_ = line_;
    if (peek() == end_of_content) return false;
    bool quoted = false;
    do {
      if (!record.fields_.empty()) skip();  // the separator
      if (record.fields_.size() == most_columns) {
        fail_here(record, fmt::format("more than {} columns", most_columns), "a table");
      }
      quoted = peek() == '"';
      read_field(record);
    } while (peek() == static_cast<unsigned char>(separator_));

    if (peek() == '\r') {
      skip();
      if (peek() == '\n') skip();
    } else if (peek() == '\n') {
      skip();
    }
    ++line_;
    const bool blank = record.size() == 1 && record[0].empty() && !quoted;
    if (!blank) return true;
  }
}

void CsvRecords::read_field(CsvRecord& record) {
  const std::size_t begin = record.text_.size();
  const std::uint64_t offset = offset_;
  if (peek() == '"') {
    read_quoted(record);
    record.fields_.push_back({begin, record.text_.size() - begin, offset});
    return;
  }
  for (int c = peek(); !ends_line(c) && c != static_cast<unsigned char>(separator_); c = peek())
    append(record, c);
  std::size_t first = begin;
  std::size_t last = record.text_.size();
  while (first < last && is_space(record.text_[first])) ++first;
  while (first < last && is_space(record.text_[last - 1])) --last;
  record.fields_.push_back({first, last - first, offset});
}

void CsvRecords::read_quoted(CsvRecord& record) {
  const std::uint64_t opened = line_;
  skip();
  for (;;) {
    const int c = peek();
    if (c == end_of_content) {
      fail_here(record, "the end of the content",
                fmt::format("the end of the quoted field that begins in line {}", opened));
    }
    if (c == '"') {
      skip();
      if (peek() != '"') break;
    } else if (c == '\n') {
      ++line_;
    }
    append(record, c);
  }
  if (const int c = peek(); !ends_line(c) && c != static_cast<unsigned char>(separator_)) {
    const char character = static_cast<char>(c);
    fail_here(record, fmt::format("'{}' after a closing quote", shown({&character, 1})),
              fmt::format("'{}' or the end of the line", shown({&separator_, 1})));
  }
}

void CsvRecords::append(CsvRecord& record, int character) {
  if (record.text_.size() == most_bytes) {
    fail_here(record, fmt::format("a record of more than {} bytes", most_bytes), "a table");
  }
  record.text_ += static_cast<char>(character);
  skip();
}

void CsvRecords::fail(const CsvRecord& record, std::size_t column, std::string_view expected) const {
  const std::string_view text = record[column];
  throw IoError(fmt::format("{}: {}, line {}, column {} (byte {}): found {}, expected {}", reader_.function(),
                            reader_.name(), record.line(), column + 1, record.offset(column),
                            text.empty() ? "nothing" : fmt::format("'{}'", shown(text)), expected));
}

void CsvRecords::fail(const CsvRecord& record, std::string_view found, std::string_view expected) const {
  throw IoError(fmt::format("{}: {}, line {} (byte {}): found {}, expected {}", reader_.function(),
                            reader_.name(), record.line(), record.offset(0), found, expected));
}

void CsvRecords::fail_at_end(std::string_view found, std::string_view expected) const {
  throw IoError(fmt::format("{}: {}, line {} (byte {}): found {}, expected {}", reader_.function(),
                            reader_.name(), line_, offset_, found, expected));
}

void CsvRecords::fail_here(const CsvRecord& record, std::string_view found, std::string_view expected) const {
  throw IoError(fmt::format("{}: {}, line {}, column {} (byte {}): found {}, expected {}", reader_.function(),
                            reader_.name(), line_, record.size() + 1, offset_, found, expected));
}

}  // namespace xtgrad::v1::datasets::detail
