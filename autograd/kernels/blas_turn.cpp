#include "xtgrad/autograd/kernels/blas_turn.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>

#include "xtgrad/autograd/core/ref_count.h"

// What is called here, and what the LAPACK that is called calls; of whom, decides the linker. Only addresses
// are of interest.
extern "C" {
[[gnu::weak]] void cblas_sgemm();
[[gnu::weak]] void dgemm_();   // NOLINT(readability-identifier-naming): Fortran's
[[gnu::weak]] void dpotrf_();  // NOLINT(readability-identifier-naming)
// In what is statically linked they are found by name alone, which may as well be another library's beside
// it.
[[gnu::weak]] int openblas_get_parallel();
[[gnu::weak]] std::int64_t bli_thread_get_num_threads();
}

namespace xtgrad::inline v1::detail {
namespace {

/// The object that an address lies in: the program itself, or a shared library.
struct Object {
  explicit Object(void* address) {
    if (address == nullptr || dladdr(address, &info) == 0) info = {};
  }
  [[nodiscard]] bool contains(void* address) const {
    return info.dli_fbase != nullptr && Object(address).info.dli_fbase == info.dli_fbase;
  }
  Dl_info info{};
};

template <class F>
void* address_of(F* function) {
  return reinterpret_cast<void*>(function);
}

/// The function that the object itself has under a name; `linked` is what that name means in this library.
/// Null if it has none, whatever other libraries of the process have.
template <class F>
F* own(const Object& object, const char* name, F* linked) {
  if (linked != nullptr && object.contains(address_of(linked))) return linked;
  if (object.info.dli_fname == nullptr) return nullptr;
  void* const library = dlopen(object.info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  void* const found = dlsym(library, name);
  dlclose(library);  // a count: it stays where it is
  return found != nullptr && object.contains(found) ? reinterpret_cast<F*>(found) : nullptr;
}

enum class Overlap { allowed, forbidden, unknown };

/// What the library says of itself that has this function.
Overlap overlap_of(void* function) {
  const Object object(function);
  if (const auto parallel = own(object, "openblas_get_parallel", openblas_get_parallel)) {
    return parallel() != 0 ? Overlap::allowed : Overlap::forbidden;
  }
  const auto blis = own(object, "bli_thread_get_num_threads", bli_thread_get_num_threads);
  return blis != nullptr ? Overlap::allowed : Overlap::unknown;
}

bool calls_may_overlap() {
  for (void (*const blas)() : {cblas_sgemm, dgemm_}) {
    if (blas != nullptr && overlap_of(address_of(blas)) != Overlap::allowed) return false;
  }
  // A LAPACK that says nothing of itself is as good as the BLAS that it calls.
  return cblas_sgemm != nullptr && overlap_of(address_of(dpotrf_)) != Overlap::forbidden;
}

}  // namespace

bool blas_calls_may_overlap() {
  // No static local: a child of fork() would wait for whoever was initialising it.
  enum : int { unasked, no, yes };
  constinit static std::atomic<int> known{unasked};
  int answer = known.load(std::memory_order_relaxed);
  if (answer == unasked) [[unlikely]] {
    answer = calls_may_overlap() ? yes : no;
    known.store(answer, std::memory_order_relaxed);
  }
  return answer == yes;
}

BlasTurn::BlasTurn() {
  // A process that has a single thread needs no lock, and cannot get a second one while BLAS runs.
  if (!blas_calls_may_overlap() && !RefCount::single_threaded()) {
    lock_ = std::unique_lock(process_lock(ProcessLock::blas));
  }
}

}  // namespace xtgrad::v1::detail
