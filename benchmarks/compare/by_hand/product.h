#pragma once

#include <cblas.h>

#include <cstdint>

namespace bench {

/// c = factor a b + beta c, row-major without gaps.
inline void product(CBLAS_TRANSPOSE how_a, CBLAS_TRANSPOSE how_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const float* a, const float* b, float* c, float factor = 1,
                    float beta = 0) {
  const auto narrow = [](std::int64_t x) { return static_cast<int>(x); };
  cblas_sgemm(CblasRowMajor, how_a, how_b, narrow(m), narrow(n), narrow(k), factor, a,
              narrow(how_a == CblasNoTrans ? k : m), b, narrow(how_b == CblasNoTrans ? n : k), beta, c,
              narrow(n));
}

}  // namespace bench
