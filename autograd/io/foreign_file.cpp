#include "xtgrad/autograd/io/foreign_file.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view from_pytorch =
    "which is run like a program when it is loaded, and which only Python reads; load it there, and save it "
    "by "
    "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::string_view bytes, std::string_view lower_case) {
  return bytes.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), bytes.begin(),
                    [](char want, char have) { return want == lower(have); });
}

bool is_page(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  bytes.remove_prefix(first);
  constexpr std::array<std::string_view, 5> starts{"<!doctype", "<html", "<head", "<body", "<?xml"};
  return std::any_of(starts.begin(), starts.end(), [&](auto start) { return begins_with(bytes, start); });
}

/// A zip archive's first entry says whose it is: PyTorch writes "NAME/data.pkl".
bool is_pytorch_zip(std::string_view bytes) {
  constexpr std::size_t name_at = 30;  // in the header of an entry
  if (!bytes.starts_with("PK\3\4") || bytes.size() < name_at) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::string_view name = bytes.substr(name_at, byte(26) + std::size_t{256} * byte(27));
  return name.ends_with("/data.pkl");
}

/// A pickle of protocol 2 to 5 begins with its number, what torch.save wrote before 1.6 is one.
bool is_pickle(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

}  // namespace

std::string stand_in_kind(std::string_view bytes) {
  if (bytes.starts_with("version https://git-lfs.github.com/spec/")) {
    return "a Git LFS pointer, which stands for a file that was not fetched; run git lfs pull in its "
           "repository";
  }
  if (is_page(bytes)) {
    return "an HTML or XML page, as a server sends it in the place of a file; open it in a browser to see "
           "what "
           "it says, and download the file itself";
  }
  if (is_pytorch_zip(bytes)) {
    return std::string("a file of PyTorch (.pt, .pth): a zip archive with a pickle, ").append(from_pytorch);
  }
  return {};
}

std::string text_kind(std::string_view bytes) {
  constexpr std::size_t fewest = 8, quoted = 40;
  const std::string_view begin = bytes.substr(0, quoted);
  const auto is_text = [](char c) { return (c >= ' ' && c <= '~') || c == '\t' || c == '\n' || c == '\r'; };
  if (begin.size() < fewest || !std::all_of(begin.begin(), begin.end(), is_text)) return {};
  std::string line(begin);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' '; }, ' ');
  return "a text that begins with \"" + line + "\"; a server may have sent it in the place of the file";
}

std::string foreign_kind(FileFormat own, std::string_view bytes) {
  if (std::string kind = stand_in_kind(bytes); !kind.empty()) return kind;
  if (is_pickle(bytes)) return std::string("a pickle, as old files of PyTorch are, ").append(from_pytorch);
  struct Mark {
    std::string_view begin;
    std::string_view kind;
    std::optional<FileFormat> format = std::nullopt;
  };
  using namespace std::string_view_literals;
  constexpr std::array marks{
      Mark{"\x93NUMPY"sv, "an npy file; load_npy reads it", FileFormat::npy},
      Mark{"PK\3\4"sv, "a zip archive; if NumPy wrote it, it is an npz file, and load_npz reads it",
           FileFormat::npz},
      Mark{"\x1f\x8b"sv, "a gzip file; unpack it with gunzip"},
      Mark{"\x28\xb5\x2f\xfd"sv, "a zstd file; unpack it with unzstd"},
      Mark{"\xfd"
           "7zXZ"sv,
           "an xz file; unpack it with unxz"},
      Mark{"BZh"sv, "a bzip2 file; unpack it with bunzip2"},
      Mark{"\x89HDF\r\n"sv, "an HDF5 file, as Keras writes; convert it in Python"},
      Mark{"GGUF"sv, "a GGUF file; convert it in Python to safetensors"}};
  for (const Mark& mark : marks) {
    if (bytes.starts_with(mark.begin) && mark.format != own) return std::string(mark.kind);
  }
  // The length of a header, little-endian, and the header.
  if (own != FileFormat::safetensors && bytes.size() > 9 && bytes.substr(4, 4) == "\0\0\0\0"sv &&
      bytes[8] == '{') {
    return "a safetensors file; load_safetensors reads it";
  }
  return text_kind(bytes);
}

}  // namespace xtgrad::v1::detail
