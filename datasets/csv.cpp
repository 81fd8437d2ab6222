#include "xtgrad/datasets/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/csv_records.h"
#include "xtgrad/datasets/file_array.h"

namespace xtgrad::inline v1::datasets {

namespace detail {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::make_constant;

// With no word on the classes, a larger label is taken for an error: one wrong digit would make every array
// of a number for each class a large one.
constexpr std::int64_t most_unnamed_classes = std::int64_t{1} << 16;

/// True if a number in decimal digits that double does not hold is too small for it, not too large.
bool is_tiny(std::string_view text) {
  const std::size_t mark = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, mark);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = std::min(digits.find_first_of("123456789"), digits.size());
  // Places from the point to the first digit; the exponent moves it, by more than the text is long or not.
  std::int64_t place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  if (mark != std::string_view::npos) {
    std::string_view exponent = text.substr(mark + 1);
    const bool negative = exponent.starts_with('-');
    if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
    std::int64_t by = 0;
    const auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), by);
    if (error == std::errc::result_out_of_range) by = std::numeric_limits<std::int64_t>::max() / 2;
    place += negative ? -by : by;
  }
  return place < 0;
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  // from_chars knows no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if constexpr (std::is_same_v<Number, double>) {
    const bool whole = end == text.data() + text.size();
    if (error == std::errc::result_out_of_range && whole && is_tiny(text)) return text[0] == '-' ? -0.0 : 0.0;
  }
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A label written as 3, or as 3.0 or 3e0 by a program that knows only floating numbers.
std::optional<std::int64_t> parse_label(std::string_view text) {
  if (const auto number = parse<std::int64_t>(text)) return number;
  const auto number = parse<double>(text);
  if (!number || !xtgrad::detail::holds<std::int64_t>(*number)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// The labels of one column, read one after the other.
class Labels {
 public:
  Labels(const CsvOptions& options, std::vector<std::string> class_names)
      : names_(std::move(class_names)),
        classes_(names_.empty() ? options.classes : static_cast<std::int64_t>(names_.size())),
        first_(options.first_label) {
    for (std::size_t i = 0; i < names_.size(); ++i) numbers_.emplace(names_[i], static_cast<std::int64_t>(i));
    kind_ = names_.empty() ? Kind::unknown : Kind::known_names;
  }

  void read(const CsvRecords& records, const CsvRecord& record, std::size_t column) {
    const std::string_view text = record[column];
    if (text.empty()) records.fail(record, column, "a label");
    const auto number = parse_label(text);
    if (kind_ == Kind::unknown) kind_ = number ? Kind::numbers : Kind::new_names;
    if (kind_ != Kind::numbers) {
      if (const auto known = numbers_.find(text); known != numbers_.end()) {
        labels_.push_back(known->second);
        return;
      }
    }
    if (kind_ == Kind::new_names) {
      const auto next = static_cast<std::int64_t>(numbers_.size());
      if (classes_ != 0 && next == classes_) {
        records.fail(record, column, fmt::format("no more than {} different labels", classes_));
      }
      numbers_.emplace(text, next);
      labels_.push_back(next);
      return;
    }
    const std::int64_t last = first_ + (classes_ == 0 ? most_unnamed_classes : classes_) - 1;
    if (!number || *number < first_ || *number > last) records.fail(record, column, expected(last));
    labels_.push_back(*number - first_);
  }

  /// What has been read, with the classes settled.
  void finish(const CsvRecords& records) {
    if (kind_ == Kind::numbers && classes_ == 0)
      classes_ = *std::max_element(labels_.begin(), labels_.end()) + 1;
    if (kind_ != Kind::new_names) return;
    const auto found = static_cast<std::int64_t>(numbers_.size());
    if (classes_ != 0 && found != classes_) {
      records.fail_at_end(fmt::format("{} different labels in all", found), fmt::format("{}", classes_));
    }
    classes_ = found;
    // In alphabetical order, which does not depend on the order of the rows.
    std::vector<std::int64_t> rank(numbers_.size());
    for (const auto& [name, number] : numbers_) {
      rank[static_cast<std::size_t>(number)] = static_cast<std::int64_t>(names_.size());
      names_.push_back(name);
    }
    for (std::int64_t& label : labels_) label = rank[static_cast<std::size_t>(label)];
  }

  [[nodiscard]] const std::vector<std::int64_t>& labels() const { return labels_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::int64_t classes() const { return classes_; }

 private:
  enum class Kind : std::uint8_t { unknown, numbers, known_names, new_names };

  [[nodiscard]] std::string expected(std::int64_t last) const {
    std::string text = fmt::format("a label from {} to {}", first_, last);
    if (classes_ == 0) text += " (for more, set .classes)";
    constexpr std::size_t most = 10;
    for (std::size_t i = 0; i < std::min(names_.size(), most); ++i) {
      text += fmt::format("{}'{}'", i == 0 ? " or one of " : ", ", shown(names_[i]));
    }
    if (names_.size() > most) text += ", ...";
    return text;
  }

  std::vector<std::string> names_;
  std::int64_t classes_;
  std::int64_t first_;
  Kind kind_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;  // of the names
  std::vector<std::int64_t> labels_;
};

/// Reads a table record by record; see `csv_dataset`.
class Table {
 public:
  Table(ByteReader& reader, const CsvOptions& options)
      : reader_(reader),
        options_(options),
        dtype_(inputs_dtype(reader.function(), options.dtype)),
        records_(reader, options.separator) {}

  Dataset read() {
    if (!records_.next(first_))
      records_.fail_at_end("the end of the content", "a table with at least one row");
    const CsvHeader header = options_.header == CsvHeader::detect ? detect_header() : options_.header;
    std::vector<std::string> class_names = options_.class_names;
    if (header == CsvHeader::counts) class_names = read_counts();
    if (header != CsvHeader::counts) columns_ = first_.size();
    find_label_column(header);
    if (header == CsvHeader::names) read_names();

    Labels labels(options_, std::move(class_names));
    if (header == CsvHeader::none) read_row(first_, labels);
    if (has_second_) read_row(second_, labels);
    while (records_.next(first_)) read_row(first_, labels);
    if (rows_ == 0) records_.fail_at_end("the end of the content", "at least one row");
    if (claimed_rows_ && *claimed_rows_ != rows_) {
      records_.fail_at_end(fmt::format("the end of the content after {} rows", rows_),
                           fmt::format("{}, as the first line says", *claimed_rows_));
    }
    labels.finish(records_);
    return make_dataset(labels);
  }

  /// Throws because memory has no room for the rows.
  [[noreturn]] void fail_memory() const {
    reader_.fail_memory(fmt::format("more than {} rows of {} columns, 8 bytes each", rows_, columns_));
  }

 private:
  CsvHeader detect_header() {
    if (!options_.label_name.empty()) return CsvHeader::names;
    if (looks_like_counts()) return CsvHeader::counts;
    columns_ = first_.size();
    find_label_column(CsvHeader::none);
    bool all_numbers = true;
    bool no_numbers = !parse<double>(first_[label_column_]);
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column == label_column_) continue;
      const bool number = parse<double>(first_[column]).has_value();
      all_numbers = all_numbers && number;
      no_numbers = no_numbers && !number;
    }
    if (no_numbers) return CsvHeader::names;
    // Some are numbers: rather a damaged row, which reading it will tell, than names that would be dropped.
    if (!all_numbers) return CsvHeader::none;
    // Columns that have numbers for names: the label's own name gives the header away, if labels are numbers.
    if (!parse<double>(first_[label_column_])) {
      has_second_ = records_.next(second_);
      if (has_second_ && label_column_ < second_.size() && parse_label(second_[label_column_])) {
        return CsvHeader::names;
      }
    }
    return CsvHeader::none;
  }

  /// Two numbers and then two or more names: no row of data, for that has but one label.
  [[nodiscard]] bool looks_like_counts() const {
    if (first_.size() < 4) return false;
    for (std::size_t column = 0; column < first_.size(); ++column) {
      if (parse<std::int64_t>(first_[column]).has_value() != (column < 2)) return false;
      if (column >= 2 && (first_[column].empty() || parse<double>(first_[column]))) return false;
    }
    return true;
  }

  /// The first line of scikit-learn's files; returns the class names.
  std::vector<std::string> read_counts() {
    if (first_.size() < 3) {
      records_.fail(first_, fmt::format("{} columns", first_.size()),
                    "numbers of rows and features, then class names");
    }
    claimed_rows_ = parse<std::int64_t>(first_[0]);
    if (!claimed_rows_ || *claimed_rows_ < 1) records_.fail(first_, 0, "the number of rows");
    const auto features = parse<std::int64_t>(first_[1]);
    if (!features || *features < 1 || *features > std::int64_t{1} << 32) {
      records_.fail(first_, 1, "the number of features");
    }
    columns_ = static_cast<std::size_t>(*features) + 1;
    std::vector<std::string> names;
    for (std::size_t column = 2; column < first_.size(); ++column) names.emplace_back(first_[column]);
    const auto asked = options_.class_names.empty() ? options_.classes
                                                    : static_cast<std::int64_t>(options_.class_names.size());
    if (asked != 0 && asked != static_cast<std::int64_t>(names.size())) {
      records_.fail(first_, fmt::format("{} class names", names.size()),
                    fmt::format("{}, as the options say", asked));
    }
    return options_.class_names.empty() ? names : options_.class_names;
  }

  void find_label_column(CsvHeader header) {
    if (columns_ < 2) {
      records_.fail(first_, fmt::format("{} column", columns_),
                    fmt::format("at least 2, features and a label, separated by '{}'",
                                shown({&options_.separator, 1})));
    }
    const auto columns = static_cast<std::int64_t>(columns_);
    if (header == CsvHeader::names && !options_.label_name.empty()) {
      std::size_t matches = 0;
      std::string names;
      for (std::size_t column = 0; column < columns_; ++column) {
        if (first_[column] == options_.label_name && ++matches == 1) label_column_ = column;
        if (column < 20) names += fmt::format("{}{}", column == 0 ? "" : ", ", shown(first_[column]));
      }
      if (matches != 1) {
        records_.fail(first_, fmt::format("{} columns of that name in {}", matches, names),
                      fmt::format("one label column '{}'", options_.label_name));
      }
      return;
    }
    const std::int64_t asked = options_.label_column;
    if (asked < -columns || asked >= columns) {
      throw ValueError(fmt::format("{}: label_column out of range: got {}, {} has {} columns",
                                   reader_.function(), asked, reader_.name(), columns));
    }
    label_column_ = static_cast<std::size_t>(asked < 0 ? asked + columns : asked);
  }

  void read_names() {
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column != label_column_) feature_names_.emplace_back(first_[column]);
    }
  }

  void read_row(const CsvRecord& record, Labels& labels) {
    if (record.size() != columns_) {
      records_.fail(record, fmt::format("{} columns", record.size()), fmt::format("{}", columns_));
    }
    for (std::size_t column = 0; column < columns_; ++column) {
      if (column == label_column_) {
        labels.read(records_, record, column);
        continue;
      }
      const auto number = parse<double>(record[column]);
      if (!number || !std::isfinite(*number)) records_.fail(record, column, "a finite number");
      if (!xtgrad::detail::holds(dtype_, *number)) {
        records_.fail(record, column, fits_float32);
      }
      values_.push_back(*number);
    }
    ++rows_;
  }

  Dataset make_dataset(const Labels& labels) {
    const std::string_view function = reader_.function();
    Array inputs =
        new_file_array(function, reader_.name(), {rows_, static_cast<std::int64_t>(columns_) - 1}, dtype_);
    xtgrad::detail::visit_floating(dtype_, [&](auto zero) {
      using T = decltype(zero);
      std::transform(values_.begin(), values_.end(), inputs.mutable_data<T>(),
                     [](double value) { return static_cast<T>(value); });
    });
    Array label_array = new_file_array(function, reader_.name(), {rows_}, int64);
    std::copy(labels.labels().begin(), labels.labels().end(), label_array.mutable_data<std::int64_t>());
    return Dataset({.inputs = make_constant(std::move(inputs)),
                    .labels = make_constant(std::move(label_array)),
                    .classes = labels.classes(),
                    .class_names = labels.names(),
                    .feature_names = std::move(feature_names_)});
  }

  ByteReader& reader_;
  const CsvOptions& options_;
  Dtype dtype_;
  CsvRecords records_;
  CsvRecord first_;
  CsvRecord second_;  // read to tell what the first is
  bool has_second_ = false;
  std::size_t columns_ = 0;
  std::size_t label_column_ = 0;
  std::optional<std::int64_t> claimed_rows_;
  std::vector<std::string> feature_names_;
  std::vector<double> values_;
  std::int64_t rows_ = 0;
};

void check_options(std::string_view function, const CsvOptions& options) {
  const char separator = options.separator;
  if (separator == '"' || separator == '\n' || separator == '\r' || separator == '\0') {
    throw ValueError(fmt::format("{}: separator must not be a quote, a line end or zero: got '{}'", function,
                                 shown({&separator, 1})));
  }
  require_at_least(function, "classes", options.classes, 0);
  const auto names = static_cast<std::int64_t>(options.class_names.size());
  if (names != 0 && options.classes != 0 && names != options.classes) {
    throw ValueError(fmt::format("{}: class_names must be one for each class: got {} for {}", function, names,
                                 options.classes));
  }
  if (!options.label_name.empty() &&
      (options.header == CsvHeader::none || options.header == CsvHeader::counts)) {
    throw ValueError(fmt::format("{}: label_name needs a header of names: got label_name '{}' and header {}",
                                 function, options.label_name,
                                 options.header == CsvHeader::none ? "none" : "counts"));
  }
  // So that sums of the two cannot overflow.
  constexpr std::int64_t most = std::int64_t{1} << 32;
  if (options.classes > most || options.first_label > most || options.first_label < -most) {
    throw ValueError(fmt::format("{}: classes and first_label must be at most 2^32: got {} and {}", function,
                                 options.classes, options.first_label));
  }
}

}  // namespace

Dataset csv_dataset(ByteReader& reader, const CsvOptions& options) {
  check_options(reader.function(), options);
  Table table(reader, options);
  try {
    return table.read();
  } catch (const std::bad_alloc&) {
    table.fail_memory();
  }
}

}  // namespace detail

Dataset csv_dataset(const std::string& path, const CsvOptions& options) {
  detail::check_options("csv_dataset", options);
  detail::ByteReader reader("csv_dataset", path);
  return detail::csv_dataset(reader, options);
}

}  // namespace xtgrad::v1::datasets
