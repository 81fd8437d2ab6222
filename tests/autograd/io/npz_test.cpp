#include "xtgrad/autograd/io/npz.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/forged.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"

#ifdef XTGRAD_HAS_LIBZIP
#include <zip.h>
#endif

using namespace xtgrad;
using testing::replaced;

namespace {

std::string error_of(const std::string& bytes, const ReadLimits& limits = {}) {
  try {
    static_cast<void>(decode_npz(bytes, "f.npz", limits));
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

#ifdef XTGRAD_HAS_LIBZIP

namespace {

struct ZipEntry {
  std::string name;
  std::string bytes;
  zip_int32_t method = ZIP_CM_STORE;
  bool encrypted = false;
};

/// An archive of any entries, made with libzip itself.
std::string zip_of(const std::vector<ZipEntry>& entries) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "a.zip";
  zip_t* archive = ::zip_open(file.c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive != nullptr);
  for (const ZipEntry& entry : entries) {
    zip_source_t* source = ::zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0);
    const zip_int64_t index = ::zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    REQUIRE(index >= 0);
    REQUIRE(::zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), entry.method, 0) == 0);
    if (entry.encrypted) {
      REQUIRE(::zip_file_set_encryption(archive, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256,
                                        "secret") == 0);
    }
  }
  REQUIRE(::zip_close(archive) == 0);
  return testing::file_text(file);
}

std::string number(std::uint32_t value) { return {reinterpret_cast<const char*>(&value), 4}; }

}  // namespace

TEST_CASE("named tensors come back from an npz file in order, stored and deflated") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "x.npz";
  const std::vector<NamedTensor> tensors{{"b", tensor({{0.1, -2}, {3, 4}})},
                                         {"a", tensor({1, -2}, {.dtype = int64})},
                                         {"layers.0/größe", zeros({100, 100}, {.dtype = float64})},
                                         {"flag", tensor(true, {.dtype = boolean})},
                                         {"none", zeros({0, 3})},
                                         {"", tensor(1)},
                                         {"x.npy", tensor(2)}};
  for (const bool compress : {false, true}) {
    save_npz(file, tensors, {.compress = compress});
    const std::vector<NamedTensor> loaded = load_npz(file);
    REQUIRE(loaded.size() == tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      CAPTURE(tensors[i].name);
      CHECK(loaded[i].name == tensors[i].name);
      CHECK(encode_npy(loaded[i].value) == encode_npy(tensors[i].value));
    }
    const std::string bytes = testing::file_text(file);
    CHECK(bytes == encode_npz(tensors, {.compress = compress}));
    CHECK((bytes.size() < 5000) == compress);  // the zeros alone are 80,000 bytes
  }
}

TEST_CASE("an npz file may be empty") {
  const std::string bytes = encode_npz({});
  CHECK(bytes.size() == 22);
  CHECK(decode_npz(bytes, "f.npz").empty());
}

namespace {

/// An npy file of texts, as NumPy writes it.
std::string texts_file() {
  std::string header = "{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }";
  header.resize(117, ' ');
  header += '\n';
  return "\x93NUMPY" + std::string("\1\0", 2) + std::string("\x76\0", 2) + header + std::string(12, 'c');
}

}  // namespace

TEST_CASE("entries that are no tensor's leave the others of an npz file readable") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "a.npz";
  const std::string x = encode_npy(tensor({1, 2, 3}));
  const std::string y = encode_npy(tensor({4}));
  write_file_atomically(file, zip_of({{"names.npy", texts_file()},
                                      {"x.npy", x},
                                      {"readme.txt", "text"},
                                      {"secret.npy", x, ZIP_CM_STORE, true},
                                      {"packed.npy", x, ZIP_CM_BZIP2},
                                      {"y.npy", y}}));
  const std::vector<NamedTensor> all = load_npz(file);
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "x");
  CHECK(encode_npy(all[0].value) == x);
  CHECK(all[1].name == "y");
  CHECK(npz_names(file) == std::vector<std::string>{"names", "x", "readme.txt", "secret", "packed", "y"});
  const std::vector<NamedTensor> chosen = load_npz_entries(file, {"y", "x"});
  REQUIRE(chosen.size() == 2);
  CHECK(chosen[0].name == "y");
  CHECK(encode_npy(chosen[0].value) == y);
  CHECK(chosen[1].name == "x");
  CHECK(load_npz_entries(file, {}).empty());

  const auto error_for = [&](const std::string& name) -> std::string {
    try {
      static_cast<void>(load_npz_entries(file, {"x", name}));
    } catch (const IoError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string start = "load_npz_entries: " + file + ": ";
  CHECK(error_for("names") ==
        start +
            "entry \"names.npy\": byte 20: descr \"<U3\" is not supported: expected < or > "
            "and one of b1, i1, i2, i4, i8, u1, u2, u4, f2, f4, f8");
  CHECK(error_for("readme.txt") == start + "entry \"readme.txt\": expected a name that ends in .npy");
  CHECK(error_for("secret") == start + "entry \"secret.npy\": is encrypted, which is not supported");
  CHECK(error_for("none") == start + "there is no entry \"none.npy\"");
}

TEST_CASE("an entry that is damaged is no matter of kind: the file is refused") {
  const std::string x = encode_npy(tensor({1, 2, 3}));
  CHECK(error_of(zip_of({{"x.npy", x}, {"half.npy", x.substr(0, 70)}})) ==
        "load_npz: f.npz: entry \"half.npy\": byte 70: the file ends within the header");
}

TEST_CASE("damaged and foreign npz files are refused with entry, found and expected") {
  const std::string x = encode_npy(tensor({1, 2, 3}));
  const std::string good = zip_of({{"x.npy", x}});
  REQUIRE(error_of(good) == "no error");
  std::string half(x, 0, x.size() / 2);
  std::string longer = x + "1234";
  struct Case {
    std::string bytes;
    std::string reason;
  };
  for (const Case& c : std::vector<Case>{
           {"", "byte 0: the file is empty, expected a zip archive"},
           {x, "this is an npy file; load_npy reads it"},
           {"no archive\x01", "not a zip archive that can be read: Not a zip archive"},
           {"no archive",
            "this is a text that begins with \"no archive\"; a server may have sent it in the place of the "
            "file"},
           {good.substr(0, good.size() - 30), "not a zip archive that can be read: Not a zip archive"},
           {zip_of({{"readme.txt", "text"}}), "entry \"readme.txt\": expected a name that ends in .npy"},
           {zip_of({{"folder/", ""}}), "entry \"folder/\": expected a name that ends in .npy"},
           {replaced(zip_of({{"x.npy", x}, {"y.npy", x}}), "y.npy", "x.npy"),
            "entry \"x.npy\": the name is there twice"},
           {zip_of({{"x.npy", x, ZIP_CM_BZIP2}}),
            "entry \"x.npy\": compression method 12, expected 0 (stored) or 8 (deflated)"},
           {zip_of({{"x.npy", x, ZIP_CM_STORE, true}}),
            "entry \"x.npy\": is encrypted, which is not supported"},
           {zip_of({{"x.npy", "text"}}), R"(entry "x.npy": byte 0: expected "\x93NUMPY", found "text")"},
           {zip_of({{"x.npy", ""}}), "entry \"x.npy\": byte 0: the file ends within the header"},
           {zip_of({{"x.npy", half}}), "entry \"x.npy\": byte 70: the file ends within the header"},
           {zip_of({{"x.npy", longer}}),
            "entry \"x.npy\": byte 140: goes on where, by its header, the array ends"},
           {zip_of({{"x.npy", x.substr(0, 136)}}),
            "entry \"x.npy\": byte 128: the file has 8 bytes of data, shape [3] needs 12"},
           // one bit of the data
           {replaced(good, std::string("\0\0\x40\x40", 4), std::string("\0\0\x41\x40", 4)),
            "entry \"x.npy\": byte 140: CRC error"}}) {
    CHECK(error_of(c.bytes) == "load_npz: f.npz: " + c.reason);
  }
}

TEST_CASE("sizes that an npz file claims are not believed") {
  const Tensor zeros_of_a_megabyte = zeros({250'000});
  const std::string x = encode_npy(zeros_of_a_megabyte);
  const std::string deflated = zip_of({{"x.npy", x, ZIP_CM_DEFLATE}});
  REQUIRE(error_of(deflated) == "no error");
  REQUIRE(deflated.size() < 5000);
  // The entry claims four gigabytes, or a few bytes.
  const std::string size = number(static_cast<std::uint32_t>(x.size()));
  CHECK(error_of(replaced(deflated, size, number(0xfffffff0))) ==
        "load_npz: f.npz: entry \"x.npy\": it has 1000128 bytes, the archive says 4294967280");
  CHECK(error_of(replaced(deflated, size, number(7))) ==
        "load_npz: f.npz: entry \"x.npy\": it has 1000128 bytes, the archive says 7");
  // A bomb: an array of one element in front of a megabyte of zeros.
  const std::string bomb = encode_npy(zeros({1})) + std::string(1'000'000, '\0');
  CHECK(error_of(zip_of({{"x.npy", bomb, ZIP_CM_DEFLATE}})) ==
        "load_npz: f.npz: entry \"x.npy\": byte 132: goes on where, by its header, the array ends");
}

/// What a name such as "x.npy" takes of ReadLimits::max_bytes.
constexpr std::uint64_t listed = 640 + 5 * 5;

TEST_CASE("the names in an npz file count towards the limit, whatever is read of it") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "names.npz";
  std::vector<NamedTensor> tensors;
  for (int i = 0; i < 2000; ++i) tensors.push_back({std::string(1000, 'n') + std::to_string(i), zeros({1})});
  save_npz(file, tensors);
  const std::uint64_t all = std::filesystem::file_size(file) + std::uint64_t{2000} * 5000;
  const auto refuses = [](const auto& read) {
    try {
      read();
    } catch (const IoError& error) {
      return std::string(error.what()).find("ReadLimits::max_bytes") != std::string::npos;
    }
    return false;
  };
  const ReadLimits few{.max_bytes = all};
  const ReadLimits enough{.max_bytes = all + 2'000'000};
  const std::vector<std::string> one{tensors[7].name};
  CHECK(refuses([&] { static_cast<void>(load_npz(file, few)); }));
  CHECK(refuses([&] { static_cast<void>(load_npz_entries(file, one, few)); }));
  CHECK(refuses([&] { static_cast<void>(npz_names(file, few)); }));
  CHECK(load_npz(file, enough).size() == 2000);
  CHECK(load_npz_entries(file, one, enough).size() == 1);
  CHECK(npz_names(file, enough).size() == 2000);
}

TEST_CASE("the limit is for all entries of an npz file together, before they are inflated") {
  const std::string x = encode_npy(zeros({1000}));  // 4128 bytes
  const std::string bytes = zip_of({{"x.npy", x, ZIP_CM_DEFLATE}, {"y.npy", x, ZIP_CM_DEFLATE}});
  // The first leaves a tensor of 4000 bytes; beside it the second needs its file and another tensor.
  CHECK(error_of(bytes, {.max_bytes = 2 * listed + 4000 + 4128 + 4000}) == "no error");
  CHECK(error_of(bytes, {.max_bytes = 2 * listed + 4000 + 4128 + 3999}) ==
        "load_npz: f.npz: entry \"y.npy\": too long: it needs 8128 bytes of memory, 8127 bytes are left of "
        "ReadLimits::max_bytes, which is 13457");
  CHECK(error_of(bytes, {.max_bytes = 2 * listed + 4000}) ==
        "load_npz: f.npz: entry \"x.npy\": too long: it needs 8128 bytes of memory, 4000 bytes are left of "
        "ReadLimits::max_bytes, which is 5330");
  // A header that claims more than the limit.
  const std::string forged =
      replaced(encode_npy(zeros({1000, 1000})).substr(0, 128), "(1000, 1000), }", "(10000000000,)}");
  CHECK(error_of(zip_of({{"x.npy", forged}})) ==
        "load_npz: f.npz: entry \"x.npy\": too long: it needs 80000000128 bytes of memory, 8589933927 bytes "
        "are "
        "left of ReadLimits::max_bytes, which is 8589934592");
}

TEST_CASE("the limit counts what elements of a file become in memory") {
  // A thousand bytes of int8, which become int64.
  const std::string bytes_of_int8 = replaced(encode_npy(zeros({1000}, {.dtype = uint8})), "'|u1'", "'|i1'");
  const std::string bytes = zip_of({{"x.npy", bytes_of_int8, ZIP_CM_DEFLATE}});
  CHECK(error_of(bytes, {.max_bytes = listed + 1128 + 8000}) == "no error");
  CHECK(error_of(bytes, {.max_bytes = listed + 1128 + 7999}) ==
        "load_npz: f.npz: entry \"x.npy\": too long: it needs 9128 bytes of memory, 9127 bytes are left of "
        "ReadLimits::max_bytes, which is 9792");
}

TEST_CASE("no damage to any byte of an npz file does more than to refuse it") {
  const std::string bytes = encode_npz({{"a", tensor({1, 2, 3})}, {"b", tensor({4, 5})}}, {.compress = true});
  const std::vector<NamedTensor> whole = decode_npz(bytes, "f.npz");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    CHECK(error_of(bytes.substr(0, at)) != "no error");
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      // A date or a local header may differ; names may, too. Elements may not: they have a checksum.
      for (const NamedTensor& tensor : decode_npz(damaged, "f.npz", {.max_bytes = 10'000})) {
        const bool is_a = encode_npy(tensor.value) == encode_npy(whole[0].value);
        const bool is_b = encode_npy(tensor.value) == encode_npy(whole[1].value);
        CHECK((is_a || is_b));
      }
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).find("load_npz: f.npz: ") == 0);
    }
  }
}

TEST_CASE("what an npz file cannot hold is refused before anything is written") {
  const Tensor x = tensor(1);
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npz({{"a", x}, {"a", x}})),
                       "save_npz: the name \"a\" is there twice", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npz({{"a", Tensor()}})),
                       "save_npz: tensor \"a\" is an empty handle", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npz({{std::string("a\0b", 3), x}})),
                       "save_npz: the name \"a\\x00b\" holds a zero byte", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npz({{"\xff", x}})),
                       "save_npz: the name \"\\xff\": Invalid argument", ValueError);
  CHECK_THROWS_WITH_AS(save_npz("/dev/null", {{"a", x}}),
                       "save_npz: cannot write /dev/null: it is there, and no regular file", IoError);
}

TEST_CASE("a missing npz file is load_npz's error") {
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npz("no/such/file")),
                       "load_npz: cannot open no/such/file: No such file or directory", IoError);
}

#else

TEST_CASE("without libzip, npz files are refused with what to do") {
  const std::string advice =
      ": this xtgrad was built without libzip: build it with libzip (Debian: libzip-dev), or use npy or "
      "safetensors files";
  CHECK(error_of("PK") == "load_npz" + advice);
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npz({})), ("save_npz" + advice).c_str(), IoError);
}

#endif
