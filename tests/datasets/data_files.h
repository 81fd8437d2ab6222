#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/errors.h"

// What the tests of the file readers share.

namespace xtgrad::inline v1::testing {

using Bytes = std::vector<std::byte>;

[[nodiscard]] Bytes to_bytes(std::string_view text);

/// A big-endian number, as in IDX headers.
void append_number(Bytes& bytes, std::uint64_t number, int size);

/// The header of an IDX file and then `elements`.
[[nodiscard]] Bytes idx_bytes(int type, const std::vector<std::uint32_t>& sizes, const Bytes& elements);

/// One gzip member.
[[nodiscard]] Bytes gzip(const Bytes& bytes);

void write_bytes(const std::filesystem::path& path, const Bytes& bytes);

/// The text of the IoError that `action` throws; fails the test if it throws none.
[[nodiscard]] std::string io_error(const std::function<void()>& action);

/// The folder of the real data sets: what the environment names as XTGRAD_DATA, or shared/data beside the
/// repository. None if it lacks `file`; the test case is skipped then.
[[nodiscard]] std::optional<std::filesystem::path> real_data(std::string_view file);

/// Sets an environment variable, or takes it away, and puts it back at the end of the scope.
class Environment {
 public:
  Environment(std::string name, const std::optional<std::string>& value);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// The working folder, put back at the end of the scope.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& folder);
  ~WorkingFolder();
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  std::filesystem::path before_;
};

}  // namespace xtgrad::testing
