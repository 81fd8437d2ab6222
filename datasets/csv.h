#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

/// What the first line of a CSV file is.
enum class CsvHeader : std::uint8_t {
  /// `counts` if it looks like one; `names` if no field is a number, or if all are but the label's, and the
  /// next row has a label there; else `none`: a row of which some fields are no numbers is damaged, and
  /// reading it says so.
  detect,
  none,    ///< the first row
  names,   ///< names of the columns
  counts,  ///< numbers of rows and of features, then the class names, as scikit-learn's files begin
};

struct CsvOptions {
  char separator = ',';
  CsvHeader header = CsvHeader::detect;
  std::int64_t label_column = -1;  ///< from 0, or from the end where negative
  std::string label_name = {};     ///< name of the label column in the header, in place of its number
  std::int64_t classes = 0;        ///< how many; if absent, what the labels or names make it
  std::vector<std::string> class_names = {};  ///< one a class, in the order of the labels; or none
  std::int64_t first_label = 0;               ///< the file's number of class 0
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of the inputs, floating; the thread's default dtype if absent
};

/// A labelled table: inputs [n, features] of finite numbers, int64 labels [n]. Labels are numbers from
/// `first_label` on, or names: those of `class_names`, or else all that occur, in alphabetical order (in byte
/// order). Without names or `classes` there are as many classes as the largest label says. Column names
/// become feature names.
///
/// Fields may be quoted ("" is a quote inside); lines end in LF, CR or CR LF; blank lines, spaces around
/// fields that are not quoted, and a UTF-8 byte order mark are skipped. Numbers have a point, whatever the
/// locale. The file may be gzip.
///
/// Throws IoError, with file, line, column, what was found and what was expected, for a file that is missing,
/// damaged, ragged, without rows, or has a number or a label that is none, or a number too large for float32
/// if that is the dtype; ValueError for options that do not fit; DtypeError for a dtype that is not floating.
///
///   datasets::Dataset iris = datasets::csv_dataset("iris.csv");
///   datasets::Dataset wine = datasets::csv_dataset("wine.csv", {.separator = ';', .label_name = "quality"});
[[nodiscard]] Dataset csv_dataset(const std::string& path, const CsvOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
