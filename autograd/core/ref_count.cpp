#include "xtgrad/autograd/core/ref_count.h"

#if __has_include(<sys/single_threaded.h>)  // glibc 2.32 and later
#include <sys/single_threaded.h>
#endif

namespace xtgrad::inline v1::detail {

#if __has_include(<sys/single_threaded.h>)
constinit const char* const single_threaded_flag = &__libc_single_threaded;
#else
namespace {
constexpr char always_shared = 0;
}
constinit const char* const single_threaded_flag = &always_shared;
#endif

}  // namespace xtgrad::v1::detail
