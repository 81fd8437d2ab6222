// Files that come in the place of data files are called what they are.
#include "xtgrad/autograd/io/foreign_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npz.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/csv.h"
#include "xtgrad/datasets/idx.h"
#include "xtgrad/nn/files.h"

using namespace xtgrad;
using namespace std::string_literals;

namespace {

const std::string pointer =
    "version https://git-lfs.github.com/spec/v1\noid "
    "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17"
    "e2393\nsize 12345\n";
const std::string page =
    "\r\n <!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n";

/// The first entry's header of a zip archive, as torch.save writes it, and what follows it in part.
const std::string pytorch = "PK\3\4\0\0\10\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0e\0\0\0"s +
                            "model/data.pkl" + "\x80\2ccollections\nOrderedDict\n"s;

/// What a call that must fail says.
template <class F>
std::string failure(F f) {
  try {
    f();
  } catch (const IoError& error) {
    return error.what();
  }
  return "no IoError";
}

struct Reader {
  std::string name;
  void (*read)(const std::string& path);
};

const std::vector<Reader> readers{
    {"load_npy", [](const std::string& path) { static_cast<void>(load_npy(path)); }},
    {"load_npz", [](const std::string& path) { static_cast<void>(load_npz(path)); }},
    {"load_npz_entries", [](const std::string& path) { static_cast<void>(load_npz_entries(path, {"x"})); }},
    {"load_safetensors", [](const std::string& path) { static_cast<void>(load_safetensors(path)); }},
    {"safetensors_names", [](const std::string& path) { static_cast<void>(safetensors_names(path)); }},
    {"nn::load", [](const std::string& path) { static_cast<void>(nn::load(path)); }},
    {"read_idx", [](const std::string& path) { static_cast<void>(datasets::read_idx(path)); }},
    {"csv_dataset", [](const std::string& path) { static_cast<void>(datasets::csv_dataset(path)); }},
};

void check_all(const std::string& bytes, std::string_view what) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "data.bin";
  std::ofstream(path, std::ios::binary) << bytes;
  for (const Reader& reader : readers) {
    const std::string message = failure([&] { reader.read(path); });
    INFO(message);
    CHECK(message.starts_with(reader.name + ": " + path + ": this is " + std::string(what)));
  }
}

}  // namespace

TEST_CASE("a Git LFS pointer, a page and a PyTorch file are told by every reader") {
  check_all(pointer, "a Git LFS pointer, which stands for a file that was not fetched; run git lfs pull");
  check_all(page, "an HTML or XML page, as a server sends it in the place of a file;");
  check_all("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an HTML or XML page");
  check_all("\xef\xbb\xbf<HTML>", "an HTML or XML page");
  check_all(pytorch, "a file of PyTorch (.pt, .pth)");
}

TEST_CASE("each reader tells the other formats, and not its own") {
  const std::string npy = encode_npy(ones({2}));
  const std::string safetensors = encode_safetensors({.tensors = {{"x", ones({2})}}});
  const auto from_npy = [](const std::string& bytes) {
    return failure([&] { static_cast<void>(decode_npy(bytes, "f")); });
  };
  const auto from_safetensors = [](const std::string& bytes) {
    return failure([&] { static_cast<void>(decode_safetensors(bytes, "f")); });
  };
  const auto from_npz = [](const std::string& bytes) {
    return failure([&] { static_cast<void>(decode_npz(bytes, "f")); });
  };
  CHECK(from_safetensors(npy) == "load_safetensors: f: this is an npy file; load_npy reads it");
  CHECK(from_npz(npy) == "load_npz: f: this is an npy file; load_npy reads it");
  CHECK(from_npy(safetensors) == "load_npy: f: this is a safetensors file; load_safetensors reads it");
  CHECK(from_npz(safetensors) == "load_npz: f: this is a safetensors file; load_safetensors reads it");
  CHECK(from_npy("\x1f\x8b\10\0"s) == "load_npy: f: this is a gzip file; unpack it with gunzip");
  CHECK(from_npy("\x80\2}q\0."s).find("this is a pickle, as old files of PyTorch are") != std::string::npos);
  CHECK(from_npy("PK\3\4"s + std::string(40, '\0')).find("this is a zip archive; if NumPy wrote it") !=
        std::string::npos);
  const std::string answer = "{\"error\":\n\"Repository not found\", \"status\": 404, \"more\": []}";
  const std::string told =
      "this is a text that begins with \"{\"error\": \"Repository not found\", \"statu\"; a server may have "
      "sent "
      "it in the place of the file";
  CHECK(from_npy(answer) == "load_npy: f: " + told);
  CHECK(from_npz(answer) == "load_npz: f: " + told);
  CHECK(from_safetensors(answer) == "load_safetensors: f: " + told);
  CHECK(from_safetensors("Not Found\n") ==
        "load_safetensors: f: this is a text that begins with \"Not Found \"; a server may have sent it in "
        "the place "
        "of the file");
  // Damage in a reader's own format is told as before.
  for (const std::string& message :
       {from_npy(npy.substr(0, npy.size() - 1)),
        from_safetensors(safetensors.substr(0, safetensors.size() - 1)),
        from_npz("PK\3\4"s + std::string(40, '\0')), from_npy(""), from_safetensors("{"), from_npz("x")}) {
    INFO(message);
    CHECK(message.find("this is") == std::string::npos);
    CHECK(message != "no IoError");
  }
}

TEST_CASE("numbers are no pages: files of data sets begin with what they like") {
  using detail::stand_in_kind;
  for (const std::string& bytes : {""s, "<"s, "version,1,2\n"s, "1,2,3\n"s, "\0\0\10\3"s, "PK\3\4"s,
                                   "<1,2\n"s, "  \n "s, "\xef\xbb\xbf"s, "version https://git"s})
    CHECK(stand_in_kind(bytes).empty());
}
