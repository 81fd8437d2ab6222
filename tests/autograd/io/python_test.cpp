// Files to and from Python's numpy and safetensors, where python3 has them.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npz.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Runs a script beside this file; where Python or a package is missing, skips the test and returns false.
bool run_script(const std::string& script, const std::string& what, const fs::path& folder) {
  const fs::path path = fs::path(XTGRAD_SOURCE_DIR) / "tests" / "autograd" / "io" / script;
  const testing::ProgramResult result =
      testing::run_program("/usr/bin/env", {"python3", path.string(), what, folder.string()});
  if (result.exit_code == 77 || result.exit_code == 127) {
    testing::skip("python3 is missing here, or lacks a package that " + script + " imports");
    return false;
  }
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return true;
}

// As in the scripts. A quarter is exact in every floating format.
Tensor grid() { return reshape(arange(24).to(float64) * 0.25 - 3, {2, 3, 4}); }
Tensor whole() { return reshape(arange(24), {2, 3, 4}); }

void check_same(const Tensor& found, const Tensor& expected) {
  CHECK(found.dtype() == expected.dtype());
  CHECK(found.shape() == expected.shape());
  CHECK(encode_npy(found) == encode_npy(expected));
}

std::vector<NamedTensor> our_tensors() {
  return {{"float32", grid().to(float32)},
          {"float64", grid()},
          {"int64", whole()},
          {"int32", whole().to(int32)},
          {"uint8", whole().to(uint8)},
          {"bool", greater(grid(), 0)},
          {"scalar", tensor(2.5)},
          {"empty", zeros({3, 0, 2})},
          {"vector", tensor({1, 2, 3}, {.dtype = int64})}};
}

}  // namespace

TEST_CASE("NumPy's npy and npz files are read") {
  const TemporaryFolder folder;
  if (!run_script("numpy_files.py", "write", folder.path())) return;
  const auto load = [&](const std::string& name) { return load_npy(folder.path() / (name + ".npy")); };
  const Tensor single = grid().to(float32);
  for (const std::string name : {"f2", "f4", "f2_big", "f4_big"}) {
    CAPTURE(name);
    check_same(load(name), single);
  }
  for (const std::string name : {"f8", "f8_big", "columns", "version2", "version3"}) {
    CAPTURE(name);
    check_same(load(name), grid());
  }
  for (const std::string name : {"i1", "i2", "i8", "u2", "u4", "big_i2", "big_i8"}) {
    CAPTURE(name);
    check_same(load(name), whole());
  }
  for (const std::string name : {"i4", "big_i4"}) check_same(load(name), whole().to(int32));
  check_same(load("u1"), whole().to(uint8));
  check_same(load("b1"), greater(grid(), 0));
  check_same(load("scalar"), tensor(2.5));
  check_same(load("empty"), zeros({3, 0, 2}));
#ifdef XTGRAD_HAS_LIBZIP
  for (const std::string name : {"stored.npz", "deflated.npz"}) {
    CAPTURE(name);
    const std::vector<NamedTensor> loaded = load_npz(folder.path() / name);
    REQUIRE(loaded.size() == 3);
    CHECK(loaded[0].name == "grid");
    check_same(loaded[0].value, grid());
    CHECK(loaded[1].name == "größe/b");
    check_same(loaded[1].value, whole());
    CHECK(loaded[2].name == "none");
    check_same(loaded[2].value, zeros({0, 2}));
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npz(folder.path() / "pickled.npz")),
                       doctest::Contains("entry \"a.npy\": byte 20: descr \"|O\" is not supported"), IoError);
#endif
}

TEST_CASE("NumPy reads our npy files") {
  const TemporaryFolder folder;
  for (const auto& [name, value] : our_tensors()) save_npy(folder.path() / (name + ".npy"), value);
  run_script("numpy_files.py", "check_npy", folder.path());
}

#ifdef XTGRAD_HAS_LIBZIP
TEST_CASE("NumPy reads our npz files") {
  const TemporaryFolder folder;
  save_npz(folder.path() / "stored.npz", our_tensors());
  save_npz(folder.path() / "deflated.npz", our_tensors(), {.compress = true});
  run_script("numpy_files.py", "check_npz", folder.path());
}
#endif

TEST_CASE("Python's safetensors files are read") {
  const TemporaryFolder folder;
  if (!run_script("safetensors_files.py", "write", folder.path())) return;
  const Safetensors loaded = load_safetensors(folder.path() / "python.safetensors");
  REQUIRE(loaded.metadata.size() == 1);
  CHECK(loaded.metadata[0].key == "format");
  CHECK(loaded.metadata[0].text == "np");
  CHECK(loaded.tensors.size() == 14);
  for (const auto& [name, value] : loaded.tensors) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    check_same(value, name == "float64"                         ? grid()
                      : name == "bool"                          ? greater(grid(), 0)
                      : name == "int32"                         ? whole().to(int32)
                      : name == "uint8"                         ? whole().to(uint8)
                      : name == "scalar"                        ? tensor(2.5)
                      : name == "empty"                         ? zeros({3, 0, 2})
                      : name == "größe"                         ? tensor({7}, {.dtype = int64})
                      : name.find("float") != std::string::npos ? grid().to(float32)
                                                                : whole());
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(load_safetensors(folder.path() / "unsigned.safetensors")),
                       doctest::Contains("tensor \"a\": dtype \"U64\" is none of"), IoError);
}

TEST_CASE("Python reads our safetensors files") {
  const TemporaryFolder folder;
  save_safetensors(folder.path() / "xtgrad.safetensors",
                   {.tensors = {{"bool", greater(grid(), 0)},
                                {"float32", grid().to(float32)},
                                {"int64", whole()},
                                {"int32", whole().to(int32)},
                                {"uint8", whole().to(uint8)},
                                {"float64", grid()},
                                {"scalar", tensor(2.5)},
                                {"empty", zeros({3, 0, 2})},
                                {"größe", tensor({7}, {.dtype = int64})}},
                    .metadata = {{"made by", "xtgrad"}}});
  run_script("safetensors_files.py", "check", folder.path());
}
