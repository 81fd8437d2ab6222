#include "xtgrad/autograd/io/npy.h"

#include <fmt/format.h>

#include <limits>
#include <new>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/npy_header.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/io/saving.h"

namespace xtgrad::inline v1 {
namespace {

constexpr std::string_view loading = "load_npy";
constexpr ReadLimits no_limits{.max_bytes = std::numeric_limits<std::uint64_t>::max()};

Tensor decode(std::string_view bytes, std::string_view source, const detail::MemoryBudget& budget) {
  try {
    return detail::decode_npy_bytes(bytes, budget);
  } catch (const IoError& error) {
    detail::throw_about(loading, source, {detail::FileFormat::npy, bytes}, error);
  } catch (const std::bad_alloc&) {
    detail::throw_does_not_fit(loading, source);
  }
}

}  // namespace

std::string encode_npy(const Tensor& tensor) {
  return detail::saving("save_npy", detail::bytes_of({{"", tensor}}),
                        [&] { return detail::encode_npy_bytes(tensor); });
}

Tensor decode_npy(std::string_view bytes, std::string_view source) {
  return decode(bytes, source, detail::MemoryBudget(no_limits));
}

void save_npy(const std::string& path, const Tensor& tensor) {
  detail::write_file_atomically("save_npy", path, encode_npy(tensor));
}

Tensor load_npy(const std::string& path, const ReadLimits& limits) {
  const std::string bytes = detail::read_file(loading, path, limits);
  detail::MemoryBudget budget(limits);
  budget.take(bytes.size());
  return decode(bytes, path, budget);
}

}  // namespace xtgrad::v1
