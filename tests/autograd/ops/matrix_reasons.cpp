#include "tests/autograd/ops/matrix_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace xtgrad::inline v1::testing {
namespace {

using Ops = std::set<OpId>;

/// Their operands have shapes of their own: an index, a window, a weight, a matrix.
const Ops of_own_shapes = {OpId::segment_sum,
                           OpId::segment_mean,
                           OpId::segment_max,
                           OpId::segment_min,
                           OpId::slice_add,
                           OpId::slice_scatter,
                           OpId::select_scatter,
                           OpId::concat,
                           OpId::stack,
                           OpId::meshgrid,
                           OpId::gather,
                           OpId::scatter_add,
                           OpId::index_select,
                           OpId::index_add,
                           OpId::take,
                           OpId::take_along_axis,
                           OpId::scatter,
                           OpId::scatter_mul,
                           OpId::scatter_max,
                           OpId::scatter_min,
                           OpId::index_copy,
                           OpId::masked_select,
                           OpId::masked_scatter,
                           OpId::dot,
                           OpId::outer,
                           OpId::einsum,
                           OpId::tensordot,
                           OpId::lstsq,
                           OpId::conv2d,
                           OpId::conv_transpose2d,
                           OpId::conv2d_weight_grad,
                           OpId::max_pool2d_take,
                           OpId::max_pool2d_put,
                           OpId::batch_norm,
                           OpId::normalize_by,
                           OpId::layer_norm,
                           OpId::rms_norm,
                           OpId::group_norm,
                           OpId::instance_norm,
                           OpId::conv1d,
                           OpId::conv_transpose1d,
                           OpId::conv3d,
                           OpId::conv_transpose3d,
                           OpId::max_unpool2d,
                           OpId::grid_sample,
                           OpId::ctc_loss,
                           OpId::softmax_cross_entropy,
                           OpId::searchsorted,
                           OpId::prelu,
                           OpId::repeat_interleave};

/// They move, choose or add up elements, or are polynomials of them: no point of theirs is special.
const Ops polynomials = {OpId::lerp,
                         OpId::alias,
                         OpId::reshape,
                         OpId::permute,
                         OpId::broadcast_to,
                         OpId::sum_to,
                         OpId::transpose,
                         OpId::flatten,
                         OpId::slice,
                         OpId::slice_add,
                         OpId::pad,
                         OpId::select,
                         OpId::select_scatter,
                         OpId::split,
                         OpId::chunk,
                         OpId::unbind,
                         OpId::concat,
                         OpId::stack,
                         OpId::squeeze,
                         OpId::unsqueeze,
                         OpId::movedim,
                         OpId::flip,
                         OpId::roll,
                         OpId::tile,
                         OpId::repeat_interleave,
                         OpId::repeat,
                         OpId::meshgrid,
                         OpId::diagonal,
                         OpId::diag_embed,
                         OpId::diag,
                         OpId::trace,
                         OpId::triu,
                         OpId::unfold,
                         OpId::take,
                         OpId::take_along_axis,
                         OpId::index_copy,
                         OpId::masked_select,
                         OpId::matmul,
                         OpId::dot,
                         OpId::outer,
                         OpId::tensordot,
                         OpId::einsum,
                         OpId::kron,
                         OpId::cross,
                         OpId::vander,
                         OpId::det,
                         OpId::matrix_power,
                         OpId::conv2d,
                         OpId::conv_transpose2d,
                         OpId::conv2d_weight_grad,
                         OpId::unfold2d,
                         OpId::fold2d,
                         OpId::max_pool2d_put,
                         OpId::avg_pool2d,
                         OpId::avg_pool2d_spread,
                         OpId::conv1d,
                         OpId::conv_transpose1d,
                         OpId::conv3d,
                         OpId::conv_transpose3d,
                         OpId::avg_pool1d,
                         OpId::avg_pool3d,
                         OpId::adaptive_avg_pool2d,
                         OpId::adaptive_avg_pool3d,
                         OpId::affine_grid,
                         OpId::pixel_shuffle,
                         OpId::pixel_unshuffle,
                         OpId::fftn,
                         OpId::ifftn,
                         OpId::rfftn,
                         OpId::irfftn,
                         OpId::fft2,
                         OpId::ifft2,
                         OpId::rfft2,
                         OpId::irfft2,
                         OpId::fftshift,
                         OpId::ifftshift,
                         OpId::complex_mul,
                         OpId::complex_conj,
                         OpId::stft,
                         OpId::istft};

/// They are smooth wherever they have a value, but where a matrix is singular or a variance 0.
const Ops smooth = {OpId::var_mean,     OpId::cholesky_solve, OpId::inverse,    OpId::lu,
                    OpId::svd,          OpId::pinv,           OpId::lstsq,      OpId::batch_norm,
                    OpId::normalize_by, OpId::layer_norm,     OpId::group_norm, OpId::instance_norm};

const Ops of_matrices = {OpId::cholesky, OpId::cholesky_solve, OpId::solve,       OpId::inverse,
                         OpId::det,      OpId::slogdet,        OpId::lu,          OpId::qr,
                         OpId::eigh,     OpId::eigvalsh,       OpId::svd,         OpId::svdvals,
                         OpId::pinv,     OpId::lstsq,          OpId::matrix_norm, OpId::matrix_exp};

const Ops made_of_others = {OpId::lerp,
                            OpId::var_mean,
                            OpId::scatter_mul,
                            OpId::outer,
                            OpId::tensordot,
                            OpId::einsum,
                            OpId::kron,
                            OpId::cross,
                            OpId::vander,
                            OpId::matrix_power,
                            OpId::avg_pool1d,
                            OpId::avg_pool3d,
                            OpId::lp_pool1d,
                            OpId::lp_pool2d,
                            OpId::adaptive_avg_pool1d,
                            OpId::adaptive_avg_pool2d,
                            OpId::adaptive_avg_pool3d,
                            OpId::affine_grid,
                            OpId::grid_sample,
                            OpId::fftn,
                            OpId::ifftn,
                            OpId::rfftn,
                            OpId::irfftn,
                            OpId::fft2,
                            OpId::ifft2,
                            OpId::rfft2,
                            OpId::irfft2,
                            OpId::complex_mul,
                            OpId::complex_abs,
                            OpId::complex_angle,
                            OpId::stft,
                            OpId::istft};

/// Each element of a row is in each of its result.
const Ops transforms = {OpId::fft, OpId::ifft, OpId::rfft, OpId::irfft};

bool has_one_operand(const Op& op) {
  return std::all_of(op.samples.begin(), op.samples.end(),
                     [](const Sample& sample) { return sample.inputs.size() <= 1; });
}

/// No elementwise point either.
bool has_no_points(const Op& op) {
  return std::all_of(op.elementwise_operations.begin(), op.elementwise_operations.end(),
                     [](const Elementwise& one) { return one.points.empty(); });
}

bool has_no_batch(const Op& op) {
  return std::all_of(op.samples.begin(), op.samples.end(),
                     [](const Sample& sample) { return sample.decided != Decided::values; });
}

bool is_of_shapes(Column column) { return column < Column::nasty; }

/// All comparisons of one shape.
std::size_t count_of(const MatrixRow& row, Shapes shapes) {
  std::size_t count = 0;
  for (int order = 1; order <= matrix_orders; ++order) {
    for (const Way way : all_ways) count += row.count(shapes, order, way);
  }
  return count;
}

std::size_t count_of(const Op& op, const MatrixRow& row, Column column) {
  if (column == Column::nasty) return row.nasty;
  if (column == Column::kinks) return row.kinks;
  if (column == Column::vmap) {
    std::size_t count = 0;
    for (const Shapes shapes : all_shapes) {
      for (int order = 1; order <= matrix_orders; ++order) count += row.count(shapes, order, Way::vmap);
    }
    return count;
  }
  static_cast<void>(op);
  return count_of(row, static_cast<Shapes>(column));
}

/// Cells of one shape that have to be checked and are not: "order 2 vmap, ...".
std::string gaps_of(const Op& op, const MatrixRow& row, Shapes shapes, bool without_vmap) {
  std::string gaps;
  for (int order = 1; order <= matrix_orders; ++order) {
    for (const Way way : all_ways) {
      if (without_vmap && way == Way::vmap) continue;
      if (op.kind == Kind::constant && (way != Way::vmap || order > 1)) continue;
      if (row.count(shapes, order, way) == 0)
        gaps += fmt::format("{}order {}, {}", gaps.empty() ? "" : "; ", order, to_string(way));
    }
  }
  return gaps;
}

}  // namespace

const std::vector<MatrixReason>& matrix_reasons() {
  static const std::vector<MatrixReason> reasons = {
      {'a', "Gives no floating result that follows the elements: there is no derivative to be checked.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::kinks && op.kind == Kind::constant && op.exacts.empty() &&
                has_no_points(op);
       }},
      {'b', "Takes one operand, or operands of one shape: none is stretched.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::broadcast && has_one_operand(op) && op.id != OpId::broadcast_to &&
                op.id != OpId::sum_to;
       }},
      {'c',
       "Its operands have shapes of their own, as an index, a window or a weight has: none is stretched.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::broadcast && of_own_shapes.contains(op.id);
       }},
      {'d', "Refuses a 0-d operand: it needs an axis. The run has tried.",
       [](const Op&, const MatrixRow& row, Column column) {
         return column == Column::zero_d && !row.refusals[static_cast<std::size_t>(Shapes::zero_d)].empty();
       }},
      {'e', "Is the stretching itself, or the sum that undoes it: each call stands under broadcast.",
       [](const Op& op, const MatrixRow&, Column column) {
         const bool is_either = op.id == OpId::broadcast_to || op.id == OpId::sum_to;
         return is_either && is_of_shapes(column) && column != Column::broadcast && column != Column::empty;
       }},
      {'f', "Takes vectors, which are no batch.",
       [](const Op& op, const MatrixRow&, Column column) {
         const Ops of_vectors = {OpId::dot, OpId::outer, OpId::meshgrid};
         return column == Column::batch_of_one && of_vectors.contains(op.id);
       }},
      {'g', "Its batch is the second axis: one of 1 stands under size 1.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::batch_of_one && op.id == OpId::ctc_loss;
       }},
      {'h', "Takes matrices [2, 3] or [3, 4]: no axis but the batch's can have size 1.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::size_one && op.id == OpId::affine_grid;
       }},
      {'i', "Refuses sizes of 0.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::empty && op.id == OpId::affine_grid;
       }},
      {'j',
       "The elements decide which steps are made, or of what shape the result is: no batch has them in "
       "common.",
       [](const Op& op, const MatrixRow&, Column column) {
         if (column == Column::vmap) return has_no_batch(op);
         return op.kind == Kind::constant && has_no_batch(op) && is_of_shapes(column) &&
                column != Column::broadcast && column != Column::zero_d;
       }},
      {'k', "Takes integers and bool.",
       [](const Op& op, const MatrixRow&, Column column) {
         const Ops of_integers = {OpId::bitwise_and, OpId::bitwise_or,  OpId::bitwise_xor, OpId::bitwise_not,
                                  OpId::left_shift,  OpId::right_shift, OpId::bincount};
         return column == Column::nasty && of_integers.contains(op.id);
       }},
      {'l', "A matrix that is not finite has no decomposition, and gives NaN all over: `linalg_test.cpp`.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::nasty && of_matrices.contains(op.id);
       }},
      {'m',
       "Sums and differences of infinities are NaN at other elements than the reference's: what they give is "
       "in a "
       "test of the operation's own, `batch_norm_test.cpp`, `layer_norm_test.cpp`, `group_norm_test.cpp` or "
       "`attention_test.cpp`.",
       [](const Op& op, const MatrixRow&, Column column) {
         const Ops ops = {OpId::batch_norm, OpId::layer_norm,    OpId::rms_norm,
                          OpId::group_norm, OpId::instance_norm, OpId::scaled_dot_product_attention};
         return column == Column::nasty && ops.contains(op.id);
       }},
      {'q', "Of a NaN all of the result is made; that other rows do not see it is in `fourier_test.cpp`.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::nasty && transforms.contains(op.id);
       }},
      {'r',
       "Its samples have the signal and the window in one operand: those of size 0 and 1 are in "
       "`fourier_test.cpp`.",
       [](const Op& op, const MatrixRow&, Column column) {
         const bool is_either = op.id == OpId::stft || op.id == OpId::istft;
         return is_either &&
                (column == Column::size_one || column == Column::empty || column == Column::batch_of_one);
       }},
      {'n', "Is made of operations that have nasty values of their own.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::nasty && made_of_others.contains(op.id);
       }},
      {'o', "Moves, chooses or adds up elements, or is a polynomial of them: no point is special.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::kinks && polynomials.contains(op.id);
       }},
      {'p', "Is smooth wherever it has a value; next to a singular matrix or a variance of 0 it has none.",
       [](const Op& op, const MatrixRow&, Column column) {
         return column == Column::kinks && smooth.contains(op.id);
       }}};
  return reasons;
}

const MatrixReason* reason_for(const Op& op, const MatrixRow& row, Column column) {
  for (const MatrixReason& reason : matrix_reasons()) {
    if (reason.holds(op, row, column)) return &reason;
  }
  return nullptr;
}

std::vector<std::string> faults_of(const Op& op, const MatrixRow& row) {
  const std::string name(detail::to_string(op.id));
  std::vector<std::string> faults = row.findings;
  const bool without_vmap = reason_for(op, row, Column::vmap) != nullptr;
  const auto check = [&](Column column, const std::string& what, const std::string& gaps) {
    const MatrixReason* reason = reason_for(op, row, column);
    if (reason != nullptr && count_of(op, row, column) > 0)
      faults.push_back(fmt::format("{}, {}: is checked, reason {} is none", name, what, reason->letter));
    if (reason == nullptr && !gaps.empty())
      faults.push_back(fmt::format("{}, {}: neither checked nor explained: {}", name, what, gaps));
  };
  for (const Shapes shapes : all_shapes) {
    // What has no derivative and no steps in a batch has nothing to check here.
    check(column_of(shapes), std::string(to_string(shapes)), gaps_of(op, row, shapes, without_vmap));
  }
  check(Column::vmap, "vmap", "");
  check(Column::nasty, "nasty values", row.nasty == 0 ? "no call" : "");
  check(Column::kinks, "kinks", row.kinks == 0 ? "no exact point" : "");
  return faults;
}

std::string line_of(const Op& op, const MatrixRow& row) {
  std::string line = fmt::format("| `{}` |", detail::to_string(op.id));
  const MatrixReason* vmap = reason_for(op, row, Column::vmap);
  for (const Shapes shapes : all_shapes) {
    const MatrixReason* reason = reason_for(op, row, column_of(shapes));
    if (reason != nullptr) {
      line += fmt::format(" {} |", reason->letter);
    } else if (op.kind == Kind::constant) {
      line += vmap != nullptr ? fmt::format(" {} |", vmap->letter) : " ○ |";
    } else {
      line += vmap != nullptr ? fmt::format(" ● {} |", vmap->letter) : " ● |";
    }
  }
  std::array<std::size_t, all_ways.size()> counts{};
  for (const auto& of_shapes : row.cells) {
    for (const auto& of_order : of_shapes) {
      for (std::size_t way = 0; way < counts.size(); ++way) counts[way] += of_order[way];
    }
  }
  const auto number = [&](std::size_t count, Column column) {
    const MatrixReason* reason = reason_for(op, row, column);
    return reason != nullptr ? fmt::format(" {} |", reason->letter) : fmt::format(" {} |", count);
  };
  line += number(row.nasty, Column::nasty) + number(row.kinks, Column::kinks);
  return line + fmt::format(" {} | {} | {} | {} |", counts[0], counts[1], counts[2] + counts[3], counts[4]);
}

}  // namespace xtgrad::v1::testing
