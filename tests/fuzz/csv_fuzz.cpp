// The CSV reader on any bytes and options: a data set with a label for each row, or IoError.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/csv_records.h"

using namespace xtgrad;

namespace {

/// Options from one byte, so that libFuzzer can try all of them.
datasets::CsvOptions options_of(unsigned choice) {
  datasets::CsvOptions options;
  options.header = static_cast<datasets::CsvHeader>(choice & 3);
  options.separator = (choice & 4) != 0 ? ';' : ',';
  options.label_column = (choice & 8) != 0 ? 0 : -1;
  if ((choice & 16) != 0) options.classes = 3;
  if ((choice & 32) != 0) options.class_names = {"a", "b", "c"};
  if ((choice & 64) != 0 && options.header < datasets::CsvHeader::counts &&
      options.header != datasets::CsvHeader::none) {
    options.label_name = "y";
  }
  if ((choice & 128) != 0) options.first_label = 1;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    datasets::detail::ByteReader reader("csv_fuzz", std::as_bytes(std::span(data + 1, size - 1)), "input");
    const datasets::Dataset table = datasets::detail::csv_dataset(reader, options_of(data[0]));
    if (table.size() < 1 || table.classes() < 1 || table.inputs().rank() != 2) std::abort();
    for (const float value : table.inputs().data<float>()) {
      if (!std::isfinite(value)) std::abort();
    }
  } catch (const IoError&) {
  }
  return 0;
}
