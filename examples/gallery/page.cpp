#include "page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/mnist.h"
#include "xtgrad/datasets/transforms.h"
#include "xtgrad/plot/files.h"

namespace gallery {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

/// An empty object if there is no such file.
ordered_json read_json(const fs::path& path) {
  std::ifstream in(path);
  if (!in) return ordered_json::object();
  return ordered_json::parse(in);
}

/// As many samples as there are, but at most `count`.
datasets::Dataset first(const datasets::Dataset& data, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(count, data.size())));
  std::iota(rows.begin(), rows.end(), 0);
  return data.subset(rows);
}

}  // namespace

struct Page::Notes {
  ordered_json all;       // what the index is made of
  ordered_json before;    // the same, of the run before
  ordered_json measured;  // of all pages
};

Page::Page(Options options) : options_(std::move(options)), notes_(std::make_unique<Notes>()) {
  fs::create_directories(options_.folder);
  notes_->before = read_json(fs::path(options_.folder) / (options_.name + ".json"));
  notes_->measured = read_json(options_.measured);
  notes_->all = {{"title", options_.title},
                 {"pictures", ordered_json::object()},
                 {"numbers", ordered_json::object()},
                 {"left out", ordered_json::array()}};
}

Page::~Page() = default;

bool Page::quick() const { return options_.quick; }

std::optional<datasets::TrainTest> Page::data(const std::string& name) {
  if (quick()) return std::nullopt;
  try {
    if (name == "mnist") return {{datasets::mnist(), datasets::mnist({.train = false})}};
    if (name == "fashion-mnist") {
      return {{datasets::fashion_mnist(), datasets::fashion_mnist({.train = false})}};
    }
    if (name == "cifar10") {
      return {{first(datasets::cifar10(), 4000), first(datasets::cifar10({.train = false}), 1000)}};
    }
  } catch (const IoError& error) {
    fmt::print("{}: what needs {} is left out: {}\n", options_.name, name, error.what());
    notes_->all["left out"].push_back(name);
    return std::nullopt;
  }
  throw ValueError(fmt::format("Page::data: no data set is called \"{}\"", name));
}

bool Page::is_incomplete() const { return !notes_->all["left out"].empty(); }

std::string Page::place(const std::string& name, const std::string& caption) {
  notes_->all["pictures"][name] = caption;
  const std::string path = (fs::path(options_.folder) / name).string();
  fmt::print("{}\n", path);
  return path;
}

void Page::picture(const std::string& file, const std::string& caption, const plot::Canvas& canvas) {
  plot::save(canvas, place(options_.name + "_" + file, caption));
}

void Page::animation(const std::string& file, const std::string& caption,
                     std::span<const plot::Canvas> frames, const plot::AnimationOptions& options) {
  plot::save_animation(frames, place(options_.name + "_" + file, caption), options);
}

void Page::file(const std::string& file, const std::string& caption, const std::string& contents) {
  write_file_atomically(place(file, caption), contents);
}

void Page::number(const std::string& name, double value) {
  fmt::print("  {}: {:.6g}\n", name, value);
  notes_->all["numbers"][name] = value;
}

void Page::numbers(const std::string& name, std::span<const double> values) {
  fmt::print("  {}: {:.4g}\n", name, fmt::join(values, ", "));
  notes_->all["numbers"][name] = std::vector<double>(values.begin(), values.end());
}

double Page::measured(const std::string& name, const Callable<double()>& measure) {
  ordered_json& times = notes_->measured[options_.name];
  if (options_.measure) {
    times[name] = measure();
  } else if (!times.contains(name)) {
    throw Error(
        fmt::format("{}: {} has no \"{}\"; run with --measure", options_.name, options_.measured, name));
  }
  return times[name].get<double>();
}

void Page::finish() {
  if (is_incomplete()) {
    for (const char* list : {"pictures", "numbers"}) {
      // In the order of before, too, in which what is left out has its place.
      ordered_json kept = notes_->before.value(list, ordered_json::object());
      for (const auto& [name, value] : notes_->all[list].items()) kept[name] = value;
      notes_->all[list] = kept;
    }
  }
  const fs::path path = fs::path(options_.folder) / (options_.name + ".json");
  write_file_atomically(path, notes_->all.dump(2) + "\n");
  if (options_.measure) write_file_atomically(options_.measured, notes_->measured.dump(2) + "\n");
}

std::string title_of(const std::string& data) {
  if (data == "mnist") return "MNIST";
  if (data == "fashion-mnist") return "Fashion-MNIST";
  return data == "cifar10" ? "CIFAR-10" : data;
}

datasets::Dataset scanned_digits() { return datasets::unit_range(datasets::digits(), {.high = 16}); }

datasets::Dataset scanned_images() {
  return datasets::unit_range(datasets::digits({.image = true}), {.high = 16});
}

std::optional<datasets::Dataset> flat_digits(Page& page) {
  if (page.quick()) return scanned_digits();
  const auto mnist = page.data("mnist");
  if (!mnist) return std::nullopt;
  return mnist->train.with_inputs(flatten(mnist->train.inputs(), 1));
}

int run(int argc, char** argv, const std::string& title, const Callable<void(Page&)>& draw) {
  Page::Options options{.name = fs::path(argv[0]).filename().string(),
                        .title = title,
                        .folder = "out/gallery",
                        .measured = "docs/gallery/measured.json"};
  CLI::App app("A page of the gallery: " + title);
  app.add_option("folder", options.folder, "where its files go")->capture_default_str();
  app.add_option("--measured", options.measured, "file of measured times")->capture_default_str();
  app.add_flag("--quick", options.quick, "some seconds, and data that comes with the source");
  app.add_flag("--measure", options.measure, "measure times anew");
  CLI11_PARSE(app, argc, argv);
  try {
    manual_seed(0);
    Page page(options);
    draw(page);
    page.finish();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", options.name, error.what());
    return 1;
  }
}

double seconds_of(const Callable<void()>& f, int runs) {
  using Clock = std::chrono::steady_clock;
  f();
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point start = Clock::now();
    f();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace gallery
