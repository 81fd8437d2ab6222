#include "xtgrad/autograd/program_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace xtgrad::inline v1 {
namespace {

/// Of a step's text, which may have a thousand operands.
constexpr std::size_t most_letters = 100;

std::string table_of(std::string_view heading, std::vector<ProfileRow> rows, std::size_t most) {
  double total = 0;
  for (const ProfileRow& row : rows) total += row.seconds;
  std::ranges::stable_sort(rows,
                           [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  std::string text = fmt::format("{:>10} {:>6} {:>6} {:>9} {:>9}  {}\n", "us", "share", "steps", "MB made",
                                 "Mflop", heading);
  for (std::size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const ProfileRow& row = rows[i];
    const bool is_long = row.name.size() > most_letters;
    text += fmt::format("{:>10.3f} {:>5.1f}% {:>6} {:>9.3f} {:>9.3f}  {}\n", 1e6 * row.seconds,
                        total > 0 ? 100 * row.seconds / total : 0.0, row.calls,
                        static_cast<double>(row.bytes) / 1e6, static_cast<double>(row.flops) / 1e6,
                        is_long ? row.name.substr(0, most_letters) + "..." : row.name);
  }
  if (most < rows.size()) text += fmt::format("{:>10} and {} more\n", "", rows.size() - most);
  return text;
}

}  // namespace

std::string ProgramProfile::table(std::size_t most_steps) const {
  return fmt::format("{:.3f} us a run, median of {}\n\n", 1e6 * seconds, runs) +
         table_of("step", steps, most_steps) + "\n" + table_of("operation", operations, operations.size()) +
         "\n" + table_of("module", modules, modules.size());
}

}  // namespace xtgrad::v1
