#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/csv.h"

namespace xtgrad::inline v1::datasets::detail {

/// One record of a CSV file: its fields without quotes and, if they were not quoted, without spaces around.
class CsvRecord {
 public:
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t column) const {
    return std::string_view(text_).substr(fields_[column].begin, fields_[column].size);
  }
  [[nodiscard]] std::uint64_t line() const { return line_; }  ///< from 1, where the record begins
  /// Of the field's first byte.
  [[nodiscard]] std::uint64_t offset(std::size_t column) const { return fields_[column].offset; }

 private:
  friend class CsvRecords;
  struct Field {
    std::size_t begin;  // in text_
    std::size_t size;
    std::uint64_t offset;
  };
  std::string text_;  // of all fields, so that a row of many short ones is one allocation
  std::vector<Field> fields_;
  std::uint64_t line_ = 0;
};

/// Cuts the content of a reader into records. Holds one piece of the file and one record at a time.
class CsvRecords {
 public:
  CsvRecords(ByteReader& reader, char separator);

  /// Reads the next record that is not blank; false at the end. Throws IoError for quotes that do not close
  /// or close early, and for a record that is too large to be one.
  bool next(CsvRecord& record);

  /// Throws IoError about a field: file, line, column (from 1) and offset, what was found and what was
  /// expected.
  [[noreturn]] void fail(const CsvRecord& record, std::size_t column, std::string_view expected) const;
  /// The same about the whole record.
  [[noreturn]] void fail(const CsvRecord& record, std::string_view found, std::string_view expected) const;
  /// The same about the end of the file.
  [[noreturn]] void fail_at_end(std::string_view found, std::string_view expected) const;

 private:
  int peek();
  void skip();
  void skip_byte_order_mark();
  void read_field(CsvRecord& record);
  void read_quoted(CsvRecord& record);
  void append(CsvRecord& record, int character);
  [[noreturn]] void fail_here(const CsvRecord& record, std::string_view found,
                              std::string_view expected) const;

  ByteReader& reader_;
  char separator_;
  std::vector<std::byte> piece_;
  std::size_t next_ = 0;  // in piece_
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  // of the next byte in the content
  std::uint64_t line_ = 1;
};

/// Text of a file as a message may show it: short, and without control characters.
std::string shown(std::string_view text);

/// As the public function, from a reader.
Dataset csv_dataset(ByteReader& reader, const CsvOptions& options);

}  // namespace xtgrad::v1::datasets::detail
