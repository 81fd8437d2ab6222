#include "xtgrad/datasets/find.h"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"
#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/mnist.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using namespace xtgrad::datasets::detail;

namespace {

const std::array<FileNames, 2> files = {FileNames{"images-idx", "images.idx"}, FileNames{"labels-idx"}};

std::vector<std::string> find(const std::filesystem::path& root, const DataSource& source = mnist_source()) {
  return find_data("test", root.string(), source, files);
}

/// Files that are both there, in a folder.
void put(const std::filesystem::path& folder) {
  write_bytes(folder / "images-idx", {});
  write_bytes(folder / "labels-idx", {});
}

}  // namespace

TEST_CASE("find: the usual sub-folders, then the folder itself") {
  const TemporaryFolder folder;
  put(folder.path());
  CHECK(find(folder.path()).front() == (folder.path() / "images-idx").string());
  for (const std::string name : {"MNIST", "MNIST/raw", "mnist"}) {
    put(folder.path() / name);
    CHECK(find(folder.path()) == std::vector<std::string>{(folder.path() / name / "images-idx").string(),
                                                          (folder.path() / name / "labels-idx").string()});
  }
}

TEST_CASE("find: names, the plain file before the gzip one") {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "labels-idx.gz", {});
  for (const std::string name : {"images.idx.gz", "images-idx.gz", "images.idx", "images-idx"}) {
    write_bytes(folder.path() / name, {});
    CHECK(find(folder.path()).front() == (folder.path() / name).string());
  }
  // A folder is no file, whatever its name.
  std::filesystem::create_directory(folder.path() / "labels-idx");
  CHECK(find(folder.path()).back() == (folder.path() / "labels-idx.gz").string());
}

TEST_CASE("find: all files come from one folder") {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "mnist" / "images-idx", {});
  put(folder.path() / "MNIST");
  CHECK(find(folder.path()).front() == (folder.path() / "MNIST" / "images-idx").string());
}

TEST_CASE("find: the root alone if it is given, else XTGRAD_DATA and then ./data") {
  const TemporaryFolder named;
  const TemporaryFolder working;
  put(named.path() / "mnist");
  put(working.path() / "data" / "mnist");
  const WorkingFolder here(working.path());
  {
    const Environment set("XTGRAD_DATA", named.path().string());
    CHECK(find({}).front() == (named.path() / "mnist" / "images-idx").string());
    CHECK(io_error([&] { (void)find(working.path()); }).find(named.path().string()) == std::string::npos);
  }
  for (const std::optional<std::string>& value :
       {std::optional<std::string>(), std::optional<std::string>("")}) {
    const Environment unset("XTGRAD_DATA", value);
    CHECK(find({}).front() == "data/mnist/images-idx");
  }
}

TEST_CASE("find: the folder of another data set is not taken for this one's") {
  const TemporaryFolder folder;
  for (const std::string name : {"fashion-mnist", "FashionMNIST/raw"}) {
    put(folder.path() / name);
    CHECK(io_error([&] {
            (void)find(folder.path() / name);
          }).find((folder.path() / name).string() + ": not looked at, for its name says fashion-mnist") !=
          std::string::npos);
    CHECK(find(folder.path() / name, fashion_mnist_source()).size() == 2);
  }
  // Nor by another name.
  std::filesystem::create_directory_symlink(folder.path() / "fashion-mnist", folder.path() / "numbers");
  CHECK(io_error([&] { (void)find(folder.path() / "numbers"); }).find("its name says fashion-mnist") !=
        std::string::npos);
}

TEST_CASE("find: what is missing gets every place and how to get it") {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  write_bytes(folder.path() / "MNIST" / "raw" / "labels-idx.gz", {});
  CHECK(io_error([&] { (void)find(folder.path()); }) ==
        "test: no folder has all of images-idx, labels-idx, plain or .gz. Looked in\n"
        "  " +
            root +
            "/mnist: no such folder\n"
            "  " +
            root +
            "/MNIST/raw: lacks images-idx\n"
            "  " +
            root +
            "/MNIST: lacks images-idx, labels-idx\n"
            "  " +
            root +
            ": lacks images-idx, labels-idx\n"
            "How to get the data:\n"
            "  scripts/download_data.sh mnist\n"
            "In data/ or in a folder there it is found. Elsewhere name its folder in .root, or in the "
            "environment variable XTGRAD_DATA.");

  const WorkingFolder here(folder.path());
  const Environment set("XTGRAD_DATA", root + "/none");
  const std::string error = io_error([&] { (void)datasets::cifar10(); });
  CHECK(error.find("cifar10: no folder has all of data_batch_1.bin, plain or .gz. Looked in\n  " + root +
                   "/none: no such folder\n  data: no such folder\nHow to get the data:\n  "
                   "scripts/download_data.sh cifar10\n") == 0);
  const Environment unset("XTGRAD_DATA", std::nullopt);
  CHECK(io_error([&] {
          (void)datasets::mnist();
        }).find("Looked in\n  XTGRAD_DATA: not set in the environment\n") != std::string::npos);
  CHECK(io_error([&] {
          (void)datasets::fashion_mnist({.root = root});
        }).find("\n  apt-get install dataset-fashion-mnist\n") != std::string::npos);
}
