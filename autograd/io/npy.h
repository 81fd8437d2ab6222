#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// A tensor as NumPy's npy file, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html:
//
//   6 bytes       "\x93NUMPY", then one byte each for the major and minor version
//   2 or 4 bytes  n, the length of the header, little-endian; 4 from version 2.0 on
//   n bytes       header: a Python dict, padded with blanks to a multiple of 64 in all, such as
//                 {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
//   the rest      elements
//
//   save_npy("scores.npy", scores);          // numpy.load("scores.npy")
//   Tensor again = load_npy("scores.npy");

/// The bytes of such a file: version 1.0, row-major, little-endian. Throws ValueError for an empty handle.
[[nodiscard]] std::string encode_npy(const Tensor& tensor);

/// The tensor in such bytes, of version 1.0, 2.0 or 3.0, in either order of dimensions and of bytes. f4, f8,
/// i8, i4, u1 and b1 are our dtypes; f2 becomes float32, and i1, i2, u2 and u4 become int64. Trusts nothing:
/// IoError names `source`, the byte, what was found and what was expected. Pickled objects are never read.
[[nodiscard]] Tensor decode_npy(std::string_view bytes, std::string_view source);

/// As above, to and from a file, which is written whole or not at all: see `write_file_atomically`.
void save_npy(const std::string& path, const Tensor& tensor);
[[nodiscard]] Tensor load_npy(const std::string& path, const ReadLimits& limits = {});

}}  // namespace xtgrad::v1
