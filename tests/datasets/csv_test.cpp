#include "xtgrad/datasets/csv.h"

#include <doctest/doctest.h>

#include <clocale>
#include <cstdint>
#include <locale>
#include <string>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/csv_records.h"
#include "xtgrad/datasets/digits.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::CsvHeader;
using datasets::CsvOptions;

namespace {

datasets::Dataset read(std::string_view text, const CsvOptions& options = {}) {
  const Bytes bytes = to_bytes(text);
  datasets::detail::ByteReader reader("csv_dataset", bytes, "t.csv");
  return datasets::detail::csv_dataset(reader, options);
}

std::string error_of(std::string_view text, const CsvOptions& options = {}) {
  return io_error([&] { (void)read(text, options); });
}

std::vector<float> inputs(const datasets::Dataset& data) {
  const auto values = data.inputs().data<float>();
  return {values.begin(), values.end()};
}

std::vector<std::int64_t> labels(const datasets::Dataset& data) {
  const auto values = data.labels().data<std::int64_t>();
  return {values.begin(), values.end()};
}

using Names = std::vector<std::string>;
using Labels = std::vector<std::int64_t>;
using Values = std::vector<float>;

}  // namespace

TEST_CASE("csv: numbers and labels that are numbers, no header") {
  const auto data = read("1,-2.5,0\n.5,3e-2,2\n+7,+.25,1\n");
  CHECK(data.inputs().shape() == Shape{3, 2});
  CHECK(inputs(data) == Values{1, -2.5, 0.5, 0.03f, 7, 0.25});
  CHECK(labels(data) == Labels{0, 2, 1});
  CHECK(data.classes() == 3);
  CHECK(data.class_names().empty());
  CHECK(data.feature_names().empty());
  CHECK(labels(read("1,0.0\n2,1e0\n3,2\n")) == Labels{0, 1, 2});
  CHECK(read("1,0\n", {.dtype = float64}).inputs().dtype() == float64);
  CHECK(read("0.1,0\n", {.dtype = float64}).inputs().at({0, 0}) == 0.1);
}

TEST_CASE("csv: labels that are names, in alphabetical order whatever the rows' order") {
  const auto data = read("1,cat\n2,ant\n3,bee\n4,cat\n");
  CHECK(data.class_names() == Names{"ant", "bee", "cat"});
  CHECK(labels(data) == Labels{2, 0, 1, 2});
  CHECK(data.classes() == 3);
  // Once labels are names, a number is one, too.
  CHECK(read("1,cat\n2,dog\n3,7\n").class_names() == Names{"7", "cat", "dog"});
}

TEST_CASE("csv: names and numbers of classes that were given") {
  const auto named = read("1,cat\n2,ant\n", {.class_names = {"cat", "dog", "ant"}});
  CHECK(labels(named) == Labels{0, 2});
  CHECK(named.classes() == 3);
  // Numbers count from first_label; a text that is a name is that name.
  CHECK(labels(read("1,1\n2,3\n", {.class_names = {"a", "b", "c"}, .first_label = 1})) == Labels{0, 2});
  CHECK(labels(read("1,2\n2,1\n", {.class_names = {"2", "1"}})) == Labels{0, 1});
  CHECK(read("1,1\n", {.classes = 5}).classes() == 5);
  CHECK(labels(read("1,5\n2,7\n", {.first_label = 5})) == Labels{0, 2});
  CHECK(error_of("1,1\n2,5\n", {.classes = 5}) ==
        "csv_dataset: t.csv, line 2, column 2 (byte 6): found '5', expected a label from 0 to 4");
  CHECK(error_of("1,eel\n", {.class_names = {"cat", "dog"}}) ==
        "csv_dataset: t.csv, line 1, column 2 (byte 2): found 'eel', expected a label from 0 to 1 or one of "
        "'cat', "
        "'dog'");
  CHECK(
      error_of("1,a\n2,b\n3,c\n", {.classes = 2}) ==
      "csv_dataset: t.csv, line 3, column 2 (byte 10): found 'c', expected no more than 2 different labels");
  CHECK(error_of("1,a\n2,b\n", {.classes = 3}) ==
        "csv_dataset: t.csv, line 3 (byte 8): found 2 different labels in all, expected 3");
}

TEST_CASE("csv: the label column, first, last or by name") {
  CHECK(labels(read("2,0.5,1.5\n1,2.5,3.5\n", {.label_column = 0})) == Labels{2, 1});
  CHECK(inputs(read("2,0.5,1.5\n", {.label_column = 0})) == Values{0.5, 1.5});
  CHECK(inputs(read("2,0.5,1\n", {.label_column = -3})) == Values{0.5, 1});
  const auto data = read("width,kind,height\n1,0,2\n3,1,4\n", {.label_name = "kind"});
  CHECK(inputs(data) == Values{1, 2, 3, 4});
  CHECK(labels(data) == Labels{0, 1});
  CHECK(data.feature_names() == Names{"width", "height"});
  CHECK(error_of("width,height\n1,2\n", {.label_name = "kind"}) ==
        "csv_dataset: t.csv, line 1 (byte 0): found 0 columns of that name in width, height, expected one "
        "label column "
        "'kind'");
  CHECK(error_of("a,a,b\n1,2,3\n", {.label_name = "a"}).find("found 2 columns of that name") !=
        std::string::npos);
  CHECK_THROWS_WITH_AS(read("1,2\n", {.label_column = 2}),
                       "csv_dataset: label_column out of range: got 2, t.csv has 2 columns", ValueError);
  CHECK_THROWS_WITH_AS(read("1,2\n", {.label_column = -3}),
                       "csv_dataset: label_column out of range: got -3, t.csv has 2 columns", ValueError);
}

TEST_CASE("csv: headers are told from rows") {
  CHECK(read("x,y,label\n1,2,0\n").feature_names() == Names{"x", "y"});
  CHECK(read("x,y,label\n1,2,cat\n").class_names() == Names{"cat"});
  // Columns that have numbers for names, as data frames have them.
  CHECK(read("0,1,label\n1,2,0\n").feature_names() == Names{"0", "1"});
  CHECK(read("1,2,cat\n3,4,dog\n").size() == 2);
  CHECK(read("1,2,cat\n").size() == 1);
  // The other way where it is said.
  CHECK(read("1,2,3\n4,5,6\n", {.header = CsvHeader::names}).feature_names() == Names{"1", "2"});
  // A damaged first row is an error, not a header that would be dropped.
  for (const std::string row : {"5.1,,0", "5.1,NA,0", "1e400,3.5,0", "NA,NA,0"}) {
    CAPTURE(row);
    CHECK(error_of(row + "\n4.9,3.0,1\n4.7,3.2,0\n").find("line 1") != std::string::npos);
  }
  CHECK(error_of("x,y\n1,2\n", {.header = CsvHeader::none}) ==
        "csv_dataset: t.csv, line 1, column 1 (byte 0): found 'x', expected a finite number");
}

TEST_CASE("csv: a number too small for a double is 0, one too large is refused") {
  const auto data = read("1e-400,-1e-400,0\n0.00001e-99999999999999999999,5e-324,0\n" + std::string("0.") +
                         std::string(400, '0') + "1,12345678901234567890e-390,1\n");
  for (std::int64_t row = 0; row < 3; ++row) CHECK(data.inputs().at({row, 0}) == 0);
  for (const std::string number : {"1e400", "-1e400", "1e99999999999999999999", "0.001e999"}) {
    CAPTURE(number);
    CHECK(error_of(number + ",1,0\n", {.header = CsvHeader::none}).find("expected a finite number") !=
          std::string::npos);
  }
}

TEST_CASE("csv: scikit-learn's first line") {
  const auto data = read("2,3,setosa,versicolor\n1,2,3,1\n4,5,6,0\n");
  CHECK(data.class_names() == Names{"setosa", "versicolor"});
  CHECK(labels(data) == Labels{1, 0});
  CHECK(data.inputs().shape() == Shape{2, 3});
  const CsvOptions counts = {.header = CsvHeader::counts};
  CHECK(read("1,1,only\n0.5,0\n", counts).classes() == 1);
  CHECK(error_of("3,2,a,b\n1,2,0\n") ==
        "csv_dataset: t.csv, line 3 (byte 14): found the end of the content after 1 rows, expected 3, as the "
        "first line "
        "says");
  CHECK(error_of("1,2,a,b\n1,2,2\n")
            .find("line 2, column 3 (byte 12): found '2', expected a label from 0 to 1 or one of "
                  "'a', 'b'") != std::string::npos);
  CHECK(error_of("1,7,a,b\n1,2,0\n") == "csv_dataset: t.csv, line 2 (byte 8): found 3 columns, expected 8");
  CHECK(error_of("x,7,a\n", counts).find("column 1 (byte 0): found 'x', expected the number of rows") !=
        std::string::npos);
  CHECK(error_of("1,0,a\n", counts).find("column 2 (byte 2): found '0', expected the number of features") !=
        std::string::npos);
  CHECK(error_of("1,2\n", counts)
            .find("found 2 columns, expected numbers of rows and features, then class names") !=
        std::string::npos);
  CHECK(error_of("1,2,a,b\n1,2,0\n", {.classes = 3})
            .find("found 2 class names, expected 3, as the options say") != std::string::npos);
}

TEST_CASE("csv: line ends, blank lines, spaces, quotes, separators and a byte order mark") {
  for (const std::string text : {"1,2,0\n3,4,1\n", "1,2,0\r\n3,4,1\r\n", "1,2,0\r3,4,1\r", "1,2,0\n3,4,1",
                                 "\n\n1,2,0\n \t \n\r\n3,4,1\n\n", " 1 ,\t2, 0 \n3,4 ,1\n",
                                 "\xef\xbb\xbf"
                                 "1,2,0\n3,4,1\n",
                                 "\"1\",\"2\",\"0\"\n3,\"4\",1\n"}) {
    CAPTURE(text);
    const auto data = read(text);
    CHECK(inputs(data) == Values{1, 2, 3, 4});
    CHECK(labels(data) == Labels{0, 1});
  }
  CHECK(inputs(read("1;2;0\n", {.separator = ';'})) == Values{1, 2});
  CHECK(inputs(read("1\t2\t0\n", {.separator = '\t'})) == Values{1, 2});
  CHECK(inputs(read("1 2 0\n", {.separator = ' '})) == Values{1, 2});
  const auto quoted = read("1,\"a \"\"b\"\", c\"\r\n2,\" two\nlines \"\n");
  CHECK(quoted.class_names() == Names{" two\nlines ", "a \"b\", c"});
}

TEST_CASE("csv: the locale does not change a number") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  bool set = false;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})
    set = set || std::setlocale(LC_ALL, name) != nullptr;
  if (!set) MESSAGE("no locale with a decimal comma here: only the C++ one is tried");
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
  };
  const std::locale global = std::locale::global(std::locale(std::locale::classic(), new Comma));
  const Values values = inputs(read("1.5,2.25,0\n"));
  std::locale::global(global);
  std::setlocale(LC_ALL, before.c_str());
  CHECK(values == Values{1.5, 2.25});
}

TEST_CASE("csv: errors name the file, line, column, byte, what was found and what was expected") {
  CHECK(error_of("1,2,0\n\n3,abc,1\n") ==
        "csv_dataset: t.csv, line 3, column 2 (byte 9): found 'abc', expected a finite number");
  CHECK(error_of("1,2,0\n3,,1\n") ==
        "csv_dataset: t.csv, line 2, column 2 (byte 8): found nothing, expected a finite number");
  for (const std::string number :
       {"nan", "inf", "-infinity", "1e999", "0x10", "1,5", "1.2.3", "--1", "+-1", "1 2", "1_000"}) {
    CAPTURE(number);
    CHECK(error_of("1,2,0\n\"" + number + "\",4,1\n") ==
          "csv_dataset: t.csv, line 2, column 1 (byte 6): found '" + number + "', expected a finite number");
  }
  CHECK(error_of("1,2,0\n1e39,4,1\n") ==
        "csv_dataset: t.csv, line 2, column 1 (byte 6): found '1e39', expected a number that float32 can "
        "hold: at most 3.4028235e+38 in size (for larger ones, set .dtype)");
  CHECK(read("1e39,4,1\n", {.dtype = float64}).inputs().at({0, 0}) == 1e39);
  CHECK(error_of("1,2,0\n3,4\n") == "csv_dataset: t.csv, line 2 (byte 6): found 2 columns, expected 3");
  CHECK(error_of("1,2,0\n3,4,5,6\n") == "csv_dataset: t.csv, line 2 (byte 6): found 4 columns, expected 3");
  CHECK(error_of("1,2,0\n3,4,\n") ==
        "csv_dataset: t.csv, line 2, column 3 (byte 10): found nothing, expected a label");
  CHECK(error_of("1,2,0\n3,4,1.5\n") ==
        "csv_dataset: t.csv, line 2, column 3 (byte 10): found '1.5', expected a label from 0 to 65535 (for "
        "more, set "
        ".classes)");
  CHECK(error_of("1,2,0\n3,4,-1\n").find("found '-1', expected a label from 0 to 65535") !=
        std::string::npos);
  CHECK(error_of("1,2,0\n3,4,70000\n").find("found '70000', expected a label from 0 to 65535") !=
        std::string::npos);
  CHECK(read("1,2,0\n3,4,70000\n", {.classes = 70001}).classes() == 70001);
  CHECK(error_of("1 2 0\n") ==
        "csv_dataset: t.csv, line 1 (byte 0): found 1 column, expected at least 2, features and a label, "
        "separated by "
        "','");
  for (const std::string empty : {"", "\n\n", "\xef\xbb\xbf"}) {
    CHECK(error_of(empty).find("found the end of the content, expected a table with at least one row") !=
          std::string::npos);
  }
  CHECK(error_of("x,y\n") ==
        "csv_dataset: t.csv, line 2 (byte 4): found the end of the content, expected at least one row");
  CHECK(error_of("1,\"a\n\nb") ==
        "csv_dataset: t.csv, line 3, column 2 (byte 7): found the end of the content, expected the end of "
        "the quoted "
        "field that begins in line 1");
  CHECK(error_of("1,\"a\"b\n") ==
        "csv_dataset: t.csv, line 1, column 2 (byte 5): found 'b' after a closing quote, expected ',' or the "
        "end of the "
        "line");
  // Found text is shown short and without control characters.
  CHECK(error_of("1,2,0\n" + std::string("\x01\x1b") + std::string(100, 'x') + ",4,1\n")
            .find("found '\\x01\\x1b" + std::string(38, 'x') + "...'") != std::string::npos);
}

TEST_CASE("csv: what is no table is refused before it fills the memory") {
  const std::string long_field(std::size_t{17} << 20, '1');
  CHECK(error_of("1,\"" + long_field).find("found a record of more than 16777216 bytes, expected a table") !=
        std::string::npos);
  const std::string commas(std::size_t{2} << 20, ',');
  CHECK(error_of(commas).find("found more than 1048576 columns, expected a table") != std::string::npos);
}

TEST_CASE("csv: options") {
  CHECK_THROWS_WITH_AS(read("", {.separator = '"'}),
                       "csv_dataset: separator must not be a quote, a line end or zero: got '\"'",
                       ValueError);
  CHECK_THROWS_WITH_AS(read("", {.separator = '\n'}),
                       "csv_dataset: separator must not be a quote, a line end or zero: got '\\x0a'",
                       ValueError);
  CHECK_THROWS_WITH_AS(read("", {.classes = -1}), "csv_dataset: classes must be at least 0: got -1",
                       ValueError);
  CHECK_THROWS_WITH_AS(read("", {.classes = 3, .class_names = {"a"}}),
                       "csv_dataset: class_names must be one for each class: got 1 for 3", ValueError);
  CHECK_THROWS_WITH_AS(read("", {.header = CsvHeader::none, .label_name = "y"}),
                       "csv_dataset: label_name needs a header of names: got label_name 'y' and header none",
                       ValueError);
  CHECK_THROWS_WITH_AS(read("", {.first_label = std::int64_t{1} << 40}),
                       "csv_dataset: classes and first_label must be at most 2^32: got 0 and 1099511627776",
                       ValueError);
  CHECK_THROWS_WITH_AS(read("", {.dtype = int64}), "csv_dataset: dtype must be float32 or float64: got int64",
                       DtypeError);
}

TEST_CASE("csv: iris") {
  const auto root = real_data("iris/iris.csv");
  if (!root) return;
  const auto data = datasets::csv_dataset((*root / "iris/iris.csv").string());
  CHECK(data.inputs().shape() == Shape{150, 4});
  CHECK(data.class_names() == Names{"setosa", "versicolor", "virginica"});
  CHECK(data.class_counts() == Labels{50, 50, 50});
  const Values values = inputs(data);
  CHECK(Values(values.begin(), values.begin() + 4) == Values{5.1f, 3.5f, 1.4f, 0.2f});
  CHECK(Values(values.end() - 4, values.end()) == Values{5.9f, 3.0f, 5.1f, 1.8f});
}

TEST_CASE("csv: the digits' gzip file holds what the library has built in") {
  const auto root = real_data("digits/digits.csv.gz");
  if (!root) return;
  const auto data = datasets::csv_dataset((*root / "digits/digits.csv.gz").string());
  const auto built_in = datasets::digits();
  CHECK(inputs(data) == inputs(built_in));
  CHECK(labels(data) == labels(built_in));
  CHECK(data.classes() == 10);
}
