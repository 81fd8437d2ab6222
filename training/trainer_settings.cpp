#include "xtgrad/training/trainer_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/optim/clip.h"

namespace xtgrad::inline v1::training::detail {
namespace {

constexpr const char* own_name = "Trainer";

GradientAccumulationOptions accumulation_of(std::int64_t accumulate, std::optional<double> clip_norm,
                                            const optim::Optimizer& optimizer) {
  nn::detail::check_option(own_name, "accumulate", accumulate, 1);
  GradientAccumulationOptions result{.batches = accumulate};
  if (clip_norm) {
    if (!(*clip_norm >= 0))
      throw ValueError(fmt::format("{}: clip_norm must be at least 0: got {}", own_name, *clip_norm));
    result.before_step = [parameters = optimizer.parameters(), norm = *clip_norm] {
      optim::clip_grad_norm(parameters, norm);
    };
  }
  return result;
}

/// The saved rate may have been computed on another machine, or been rounded to the file's numbers.
bool is_same(double a, double b, Dtype saved) {
  double rounding = 1e-9;
  if (is_floating(saved)) {
    rounding =
        std::max(rounding, 8 * xtgrad::detail::visit_floating(saved, [](auto zero) {
                             return static_cast<double>(std::numeric_limits<decltype(zero)>::epsilon());
                           }));
  }
  return a == b || std::abs(a - b) <= rounding * std::max(std::abs(a), std::abs(b));
}

}  // namespace

Stepping::Stepping(optim::Optimizer& optimizer, std::int64_t batches, std::optional<double> norm)
    : accumulate(batches),
      clip_norm(norm),
      accumulation(optimizer, accumulation_of(batches, norm, optimizer)) {}

void list_stepping(std::shared_ptr<const void>& held, optim::Optimizer& optimizer, nn::Members& m) {
  const auto* const stepping = static_cast<const Stepping*>(held.get());
  std::int64_t accumulate = stepping->accumulate;
  std::optional<double> clip_norm = stepping->clip_norm;
  nn::detail::SettingList list(own_name, m, held);
  list("accumulate", accumulate);
  list("clip_norm", clip_norm);
  if (list.changed()) held = std::make_shared<Stepping>(optimizer, accumulate, clip_norm);
}

void list_loader(const datasets::Loader& loader, std::shared_ptr<const void>& nothing, nn::Members& m) {
  const datasets::LoaderOptions& options = loader.options();
  const auto list = [&](const char* name, double number) {
    double adopted = number;
    m.setting(std::string("options.") + name, adopted, nothing);
    if (adopted == number) return;
    throw ValueError(
        fmt::format("{}: the loader's {} is {}, the state's is {}, which is not adopted: make the loader "
                    "with it, or the training begin anew",
                    own_name, name, number, adopted));
  };
  const bool draws = options.shuffle || options.sampler || options.sample_transform ||
                     options.whole_sample_transform || options.transform;
  constexpr std::uint64_t exact = std::uint64_t{1} << 53;  // what a double holds
  list("batch_size", static_cast<double>(options.batch_size));
  list("shuffle", options.shuffle ? 1 : 0);
  list("seed", draws ? static_cast<double>(options.seed % exact) : 0);
  list("drop_last", options.drop_last ? 1 : 0);
}

Tensor table_of_rates(const std::optional<optim::ScheduledLr>& schedule, std::size_t groups,
                      std::int64_t steps) {
  std::vector<double> table;
  std::int64_t rows = 0;
  const std::int64_t count = schedule ? std::min<std::int64_t>(steps, 256) : 0;
  try {
    for (; rows < count; ++rows) {
      const std::int64_t step = steps / count * rows + steps % count * rows / count;
      const std::vector<double> rates = schedule->rates(step);
      table.push_back(static_cast<double>(step));
      table.insert(table.end(), rates.begin(), rates.end());
    }
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    // The step itself will throw, if the training comes to it.
  }
  return from_span(table, {rows, static_cast<std::int64_t>(1 + groups)}, {.dtype = float64});
}

void check_rates(const Tensor& loaded, const std::optional<optim::ScheduledLr>& schedule,
                 std::int64_t steps) {
  if (!loaded.defined()) return;
  constexpr const char* way_out = "; pass {.adopt_settings = true} to go on with the trainer's own rates";
  const std::size_t groups = schedule ? schedule->initial().size() : 0;
  if (loaded.rank() != 2 || loaded.size(1) < 2 ||
      (schedule && loaded.size(0) > 0 && static_cast<std::size_t>(loaded.size(1)) != 1 + groups)) {
    throw ValueError(fmt::format("{}: rates must be [rows, {}]: got {}", own_name,
                                 schedule ? fmt::format("{}", 1 + groups) : "1 + groups",
                                 to_string(loaded.shape())));
  }
  if (schedule.has_value() != (loaded.size(0) > 0)) {
    throw ValueError(fmt::format("{}: there is {} schedule, but the state was made {} one{}", own_name,
                                 schedule ? "a" : "no", schedule ? "without" : "with", way_out));
  }
  const Tensor numbers = loaded.to(float64);
  for (std::int64_t row = 0; row < numbers.size(0); ++row) {
    const double step = numbers.at({row, 0});
    if (!(step >= 0 && step <= 0x1p63))
      throw ValueError(fmt::format("{}: rates must begin with a step: got {}", own_name, step));
    if (step >= static_cast<double>(steps)) continue;
    const std::vector<double> own = schedule->rates(static_cast<std::int64_t>(step));
    for (std::size_t group = 0; group < own.size(); ++group) {
      const double saved = numbers.at({row, static_cast<std::int64_t>(group) + 1});
      if (is_same(saved, own[group], loaded.dtype())) continue;
      throw ValueError(fmt::format(
          "{}: the schedule's learning rate of group {} at step {} must be that of the state, {}: "
          "got {}{}",
          own_name, group, step, saved, own[group], way_out));
    }
  }
}

}  // namespace xtgrad::v1::training::detail
