// Sums, transposes, lookups and additions of rows: what costs as much as memory does. A cotangent that is
// passed on as it is costs nothing, and is not copied.

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

constexpr std::int64_t side = 1000;

class BiasAdd final : public Workload {
 public:
  BiasAdd(std::int64_t rows, std::int64_t n)
      : rows_(rows),
        n_(n),
        x_(numbers(1, rows * n)),
        bias_(numbers(2, n)),
        g_(numbers(9, rows * n)),
        y_(x_.size()),
        dbias_(bias_.size()) {}

  void step() override {
    for (std::int64_t row = 0; row < rows_; ++row)
      map(
          n_, y_.data() + row * n_, [](Lane x, Lane b) { return x + b; }, x_.data() + row * n_, bias_.data());
    sum_rows(rows_, n_, g_.data(), dbias_.data());
  }
  std::vector<Values> outputs() override { return {y_, g_, dbias_}; }

 private:
  std::int64_t rows_, n_;
  Values x_, bias_, g_, y_, dbias_;
};

/// Of [1000, 1000].
class Sum final : public Workload {
 public:
  explicit Sum(const Name& name)
      : over_all_(name.arguments == "all"),
        over_rows_(name.arguments == "axis0"),
        g_(over_all_ ? Values{1} : numbers(9, side)),
        y_(g_.size()) {}

  void step() override {
    if (over_rows_) {
      sum_rows(side, side, x_.data(), y_.data());
      for (std::int64_t row = 0; row < side; ++row) std::copy_n(g_.data(), side, dx_.data() + row * side);
      return;
    }
    if (over_all_) y_[0] = 0;
    for (std::int64_t row = 0; row < side; ++row) {
      const float sum = sum_of_row(x_.data() + row * side);
      if (over_all_) {
        y_[0] += sum;
      } else {
        y_[static_cast<std::size_t>(row)] = sum;
      }
    }
    for (std::int64_t row = 0; row < side; ++row)
      std::fill_n(dx_.data() + row * side, side, g_[over_all_ ? 0 : static_cast<std::size_t>(row)]);
  }
  std::vector<Values> outputs() override { return {y_, dx_}; }

 private:
  static float sum_of_row(const float* x) {
    Lane sums[4] = {Lane(0.0F), Lane(0.0F), Lane(0.0F), Lane(0.0F)};
    std::int64_t i = 0;
    for (; i + 4 * lane_width <= side; i += 4 * lane_width) {
      for (std::int64_t k = 0; k < 4; ++k) sums[k] += Lane::load(x + i + k * lane_width);
    }
    float sum = sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < side; ++i) sum += x[i];
    return sum;
  }

  bool over_all_, over_rows_;
  Values x_ = numbers(1, side*side), g_, y_, dx_ = Values(side * side);
};

/// In blocks of a line of the cache each way.
void transpose(std::int64_t rows, std::int64_t columns, const float* from, float* to) {
  constexpr std::int64_t block = 16;
  for (std::int64_t i = 0; i < rows; i += block) {
    for (std::int64_t j = 0; j < columns; j += block) {
      const std::int64_t i_end = std::min(i + block, rows), j_end = std::min(j + block, columns);
      for (std::int64_t jj = j; jj < j_end; ++jj) {
        for (std::int64_t ii = i; ii < i_end; ++ii) to[jj * rows + ii] = from[ii * columns + jj];
      }
    }
  }
}

class Transpose final : public Workload {
 public:
  Transpose(std::int64_t rows, std::int64_t columns)
      : rows_(rows),
        columns_(columns),
        x_(numbers(1, rows * columns)),
        g_(numbers(9, rows * columns)),
        y_(x_.size()),
        dx_(x_.size()) {}

  void step() override {
    transpose(rows_, columns_, x_.data(), y_.data());
    transpose(columns_, rows_, g_.data(), dx_.data());
  }
  std::vector<Values> outputs() override { return {y_, dx_}; }

 private:
  std::int64_t rows_, columns_;
  Values x_, g_, y_, dx_;
};

/// 1024 rows of a table, and their sum in its gradient, which is otherwise zero.
class Embedding final : public Workload {
 public:
  Embedding(std::int64_t rows, std::int64_t n)
      : n_(n),
        table_(numbers(1, rows * n)),
        at_(integers(2, 1024, rows)),
        g_(numbers(9, 1024 * n)),
        y_(g_.size()),
        dtable_(table_.size()) {}

  void step() override {
    for (std::size_t i = 0; i < at_.size(); ++i)
      std::copy_n(table_.data() + at_[i] * n_, n_, y_.data() + static_cast<std::int64_t>(i) * n_);
    std::fill(dtable_.begin(), dtable_.end(), 0.0F);
    for (std::size_t i = 0; i < at_.size(); ++i) {
      float* to = dtable_.data() + at_[i] * n_;
      map(
          n_, to, [](Lane a, Lane b) { return a + b; }, to, g_.data() + static_cast<std::int64_t>(i) * n_);
    }
  }
  std::vector<Values> outputs() override { return {y_, dtable_}; }

 private:
  std::int64_t n_;
  Values table_;
  std::vector<std::int64_t> at_;
  Values g_, y_, dtable_;
};

template <class Of>
std::unique_ptr<Workload> of_two_sizes(const Name& name, float /*rate*/) {
  return std::make_unique<Of>(name.numbers().at(0), name.numbers().at(1));
}

}  // namespace

void add_moves(Families& families) {
  families["bias_add"] = of_two_sizes<BiasAdd>;
  families["sum"] = [](const Name& name, float) { return std::make_unique<Sum>(name); };
  families["transpose"] = of_two_sizes<Transpose>;
  families["embedding"] = of_two_sizes<Embedding>;
}

}  // namespace bench
