#include "xtgrad/training/environment.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/cpu_capability.h"
#include "xtgrad/training/digest.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr const char* unknown = "unknown";

/// The linker's number of an object that is loaded: its GNU build id. Empty if it has none.
std::span<const std::byte> build_id(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const auto& header = object.dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(object.dlpi_addr + header.p_vaddr);
    std::size_t left = header.p_memsz;
    while (left >= sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) note;
      std::memcpy(&note, bytes, sizeof(note));
      constexpr auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
      const std::size_t name = padded(note.n_namesz);
      const std::size_t size = sizeof(note) + name + padded(note.n_descsz);
      if (size > left) break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          std::memcmp(bytes + sizeof(note), "GNU", 4) == 0) {
        return {bytes + sizeof(note) + name, note.n_descsz};
      }
      bytes += size;
      left -= size;
    }
  }
  return {};
}

/// Of the program and of all libraries, in whatever order they were loaded.
std::string build() {
  std::vector<std::string> ids;
  const auto add = [](dl_phdr_info* object, std::size_t, void* to) {
    const std::string_view name = object->dlpi_name;
    const std::span<const std::byte> id = build_id(*object);
    // The kernel's own, with which nothing is computed.
    if (name.starts_with("linux-vdso") || id.empty()) return 0;
    static_cast<std::vector<std::string>*>(to)->emplace_back(reinterpret_cast<const char*>(id.data()),
                                                             id.size());
    return 0;
  };
  ::dl_iterate_phdr(add, &ids);
  if (ids.empty()) return unknown;
  std::ranges::sort(ids);
  std::string all;
  for (const std::string& id : ids) all += id;
  return fmt::format("{:016x}", detail::digest(std::as_bytes(std::span(all))));
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return unknown;
}

const std::string& text_of(const Notes& notes, std::string_view key) {
  static const std::string none = unknown;
  const auto found = std::ranges::find(notes, key, &Safetensors::Note::key);
  return found == notes.end() ? none : found->text;
}

}  // namespace

Notes build_and_processor() {
  return {{"build", build()}, {"processor", processor()}, {"instructions", std::string(cpu_capability())}};
}

std::string warning_of_other_bits(const Notes& then, const Notes& now) {
  std::string differences;
  const auto compare = [&](std::string_view key, std::string_view by) {
    const std::string& was = text_of(then, key);
    const std::string& is = text_of(now, key);
    if (was == is || was == unknown || is == unknown) return;
    differences += fmt::format("{}{}, {} and not {}", differences.empty() ? "" : ", and ", by, was, is);
  };
  compare("build", "by another build of the program or its libraries");
  compare("processor", "on another processor");
  compare("instructions", "with other instructions (XTGRAD_ISA)");
  if (differences.empty()) return {};
  return fmt::format(
      "was written {}: the result may differ in its last bits from that of a training never interrupted",
      differences);
}

}  // namespace xtgrad::v1::training
