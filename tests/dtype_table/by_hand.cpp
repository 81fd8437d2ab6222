// Compiled by check.cmake, with the library's table and with the added dtype: switches that a person wrote.
#include "xtgrad/autograd/dtype.h"

namespace {

#ifdef WITH_DEFAULT
int bytes(xtgrad::Dtype dtype) {
  switch (dtype) {
    case xtgrad::boolean:
    case xtgrad::uint8:
      return 1;
    case xtgrad::int32:
    case xtgrad::float32:
      return 4;
    case xtgrad::int64:
    case xtgrad::float64:
      return 8;
    default:
      return 4;
  }
}
#else
int bytes(xtgrad::Dtype dtype) {
  switch (dtype) {
    case xtgrad::boolean:
    case xtgrad::uint8:
      return 1;
    case xtgrad::int32:
    case xtgrad::float32:
      return 4;
    case xtgrad::int64:
    case xtgrad::float64:
      return 8;
  }
  return 4;
}
#endif

}  // namespace

int main() { return bytes(xtgrad::float32) - 4; }
