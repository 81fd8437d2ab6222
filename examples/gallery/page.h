#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/plot/animation.h"
#include "xtgrad/plot/canvas.h"

// What every page of the gallery needs: a folder for its pictures, and a file with what they show in numbers.

namespace gallery {

using namespace xtgrad;

/// A page being made. Each picture comes with its caption, two sentences on what to see in it; each
/// number with a name. All of them are noted in <folder>/<page>.json, from which the index is written. What a
/// run leaves out, for its data is not there, stays as the run before has noted it.
class Page {
 public:
  struct Options {
    std::string name;      ///< of the program, such as "01_plane"
    std::string title;     ///< as its chapter, such as "Points in the plane"
    std::string folder;    ///< where files go; made if it is not there
    std::string measured;  ///< the file of measured times
    bool quick = false;
    bool measure = false;
  };
  explicit Page(Options options);
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  /// Some seconds are allowed rather than minutes, and data that comes with the source alone.
  [[nodiscard]] bool quick() const;
  /// quick() ? fast : full
  template <class T>
  [[nodiscard]] T choose(T fast, T full) const {
    return quick() ? fast : full;
  }

  /// Training and test part of "mnist", "fashion-mnist" or "cifar10", of which the first 4,000 and 1,000
  /// images: so that a net is trained in minutes. Nothing in a quick run, or, after a message, where there
  /// are no such files.
  [[nodiscard]] std::optional<datasets::TrainTest> data(const std::string& name);

  /// Whether some of the data that was asked for is not there. What shows all of it together is not drawn
  /// then: it would lose the part that the run before may have had.
  [[nodiscard]] bool is_incomplete() const;

  /// Saves <page>_<file>; the ending says as what.
  void picture(const std::string& file, const std::string& caption, const plot::Canvas& canvas);
  void animation(const std::string& file, const std::string& caption, std::span<const plot::Canvas> frames,
                 const plot::AnimationOptions& options = {});
  /// Any other file, such as a page for a browser. It is called just so: its name is what people open.
  void file(const std::string& file, const std::string& caption, const std::string& contents);

  /// Prints and notes a number that the pictures show, or a row of them.
  void number(const std::string& name, double value);
  void numbers(const std::string& name, std::span<const double> values);

  /// A time in seconds, or another number that differs from run to run: measured anew if the user asked for
  /// it, else what the file of measured times has. Throws Error if it has none.
  [[nodiscard]] double measured(const std::string& name, const Callable<double()>& measure);

  /// Writes the notes.
  void finish();

 private:
  struct Notes;
  [[nodiscard]] std::string place(const std::string& name, const std::string& caption);

  Options options_;
  std::unique_ptr<Notes> notes_;
};

/// What people call it: "MNIST" for "mnist".
[[nodiscard]] std::string title_of(const std::string& data);

/// The scanned digits that come with the library, 64 pixels from 0 to 1.
[[nodiscard]] datasets::Dataset scanned_digits();
/// The same as images, [1, 8, 8].
[[nodiscard]] datasets::Dataset scanned_images();
/// These in a quick run, else MNIST's training images, flat. Nothing, after a message, where there are no
/// such files: pictures of others in their place would be under their names.
[[nodiscard]] std::optional<datasets::Dataset> flat_digits(Page& page);

/// The main function of a page: reads the command line, seeds the thread's random stream with 0, draws, and
/// writes the notes. Returns the program's exit code.
int run(int argc, char** argv, const std::string& title, const Callable<void(Page&)>& draw);

/// Seconds that `f` takes: the median of `runs`, after one that does not count.
[[nodiscard]] double seconds_of(const Callable<void()>& f, int runs = 5);

}  // namespace gallery
