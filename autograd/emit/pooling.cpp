// Texts of pooling.
#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/emit/text_table.h"
#include "xtgrad/autograd/emit/windows.h"

namespace xtgrad::inline v1::detail {
namespace {

std::string open(Statements& code, std::int64_t n) {
  const std::string i = code.fresh("i");
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i, n));
  return i;
}

/// Where the window at a place begins, `first_r` and `first_c`.
void write_corner(Statements& code, const PlaneWindows& windows, const std::string& p, const std::string& q) {
  const auto &rows = windows.rows, &columns = windows.columns;
  code.line(fmt::format("const int first_r = {} * {} - {};", p, rows.stride, rows.padding));
  code.line(fmt::format("const int first_c = {} * {} - {};", q, columns.stride, columns.padding));
}

/// Opens loops over a window's elements that lie in the image, `r` and `c`.
void open_window(Statements& code, const PlaneWindows& windows) {
  const auto open_side = [&](const SideWindows& side, char name) {
    code.open(fmt::format("for (int {0} = first_{0}; {0} < first_{0} + {1}; {0} += {2})", name,
                          (side.kernel - 1) * side.dilation + 1, side.dilation));
    const bool may_leave =
        side.padding != 0 || (side.places - 1) * side.stride + (side.kernel - 1) * side.dilation >= side.size;
    if (may_leave) code.line(fmt::format("if ({0} < 0 || {0} >= {1}) continue;", name, side.size));
  };
  open_side(windows.rows, 'r');
  open_side(windows.columns, 'c');
}

void close(Statements& code, int blocks) {
  for (int k = 0; k < blocks; ++k) code.close();
}

void write_max_pool(const StepView& step, WholeText& text, bool has_value, bool has_places,
                    std::size_t places) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.in(0).dtype));
  const Shape &x = step.in(0).shape, &y = step.out(has_value ? 0 : places).shape;
  const PlaneWindows windows = windows_of(step, x, y, step.size2d("kernel"));
  const std::string plane = open(code, x[0] * x[1]), p = open(code, y[2]), q = open(code, y[3]);
  code.line(fmt::format("const {}* const x = {} + {} * {};", type, text.in(0), plane, x[2] * x[3]));
  code.line(fmt::format("{0} best = static_cast<{0}>(-INFINITY);", type));
  code.line("int place = -1;");
  write_corner(code, windows, p, q);
  open_window(code, windows);
  code.line(fmt::format("const int at = r * {} + c;", x[3]));
  // The first of the largest, or the first NaN.
  code.line(
      "if (place < 0 || (best == best && (x[at] > best || x[at] != x[at]))) { best = x[at]; place = at; }");
  close(code, 2);
  const std::string at = fmt::format("({} * {} + {}) * {} + {}", plane, y[2], p, y[3], q);
  if (has_value) code.line(fmt::format("{}[{}] = best;", text.out(0), at));
  if (has_places) code.line(fmt::format("{}[{}] = place;", text.out(places), at));
  close(code, 3);
}

void write_max_pool2d(const StepView& step, WholeText& text) {
  write_max_pool(step, text, step.has_out(0), step.has_out(1), 1);
}
void write_max_pool2d_places(const StepView& step, WholeText& text) {
  write_max_pool(step, text, false, true, 0);
}

/// Each place names an element of its plane, or none: -1.
void write_put(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const Shape &g = step.in(0).shape, &image = step.out().shape;
  const std::int64_t places = g[2] * g[3], size = image[2] * image[3];
  const std::string all = code.fresh("i");
  code.line(
      fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", all, image.numel(), text.out(0)));
  const std::string plane = open(code, g[0] * g[1]), i = open(code, places);
  code.line(fmt::format("const auto at = {}[{} * {} + {}];", text.in(1), plane, places, i));
  text.refuse_if(fmt::format("at < -1 || at >= {}", size));
  code.line(fmt::format("if (at >= 0) {}[{} * {} + at] += {}[{} * {} + {}];", text.out(0), plane, size,
                        text.in(0), plane, places, i));
  close(code, 2);
}

void write_take(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const Shape &u = step.in(0).shape, &y = step.out().shape;
  const std::int64_t places = y[2] * y[3], size = u[2] * u[3];
  const std::string plane = open(code, y[0] * y[1]), i = open(code, places);
  code.line(fmt::format("const auto at = {}[{} * {} + {}];", text.in(1), plane, places, i));
  text.refuse_if(fmt::format("at < -1 || at >= {}", size));
  code.line(fmt::format("{}[{} * {} + {}] = at < 0 ? 0 : {}[{} * {} + at];", text.out(0), plane, places, i,
                        text.in(0), plane, size));
  close(code, 2);
}

/// Elements that count at one place, in one direction.
std::string counted(const SideWindows& side, const std::string& first, bool count_padding) {
  const std::int64_t margin = count_padding ? side.padding : 0;
  const std::string low = fmt::format("({0} < {1} ? {1} : {0})", first, -margin);
  const std::string high =
      fmt::format("({0} + {1} > {2} ? {2} : {0} + {1})", first, side.kernel, side.size + margin);
  return fmt::format("({} - {})", high, low);
}

/// `divisor`, of the window that `first_r` and `first_c` begin.
void write_divisor(Statements& code, const StepView& step, const PlaneWindows& windows,
                   std::string_view type) {
  const bool pads = step.flag("count_include_pad");
  std::int64_t fixed = 0;
  if (step.is_integer("divisor_override")) fixed = step.integer("divisor_override");
  const std::string count = fixed != 0 ? std::to_string(fixed)
                                       : fmt::format("{} * {}", counted(windows.rows, "first_r", pads),
                                                     counted(windows.columns, "first_c", pads));
  code.line(fmt::format("const {0} divisor = static_cast<{0}>({1});", type, count));
}

void write_avg_pool2d(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.out().dtype));
  const Shape &x = step.in(0).shape, &y = step.out().shape;
  const PlaneWindows windows = windows_of(step, x, y, step.size2d("kernel"));
  const std::string plane = open(code, x[0] * x[1]), p = open(code, y[2]), q = open(code, y[3]);
  code.line(fmt::format("const {}* const x = {} + {} * {};", type, text.in(0), plane, x[2] * x[3]));
  code.line("double sum = 0;");
  write_corner(code, windows, p, q);
  open_window(code, windows);
  code.line(fmt::format("sum += static_cast<double>(x[r * {} + c]);", x[3]));
  close(code, 2);
  write_divisor(code, step, windows, "double");
  code.line(fmt::format("{}[({} * {} + {}) * {} + {}] = static_cast<{}>(sum / divisor);", text.out(0), plane,
                        y[2], p, y[3], q, type));
  close(code, 3);
}

void write_avg_pool2d_spread(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.out().dtype));
  const Shape &g = step.in(0).shape, &x = step.out().shape;
  const PlaneWindows windows = windows_of(step, x, g, step.size2d("kernel"));
  const std::string all = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", all, x.numel(), text.out(0)));
  const std::string plane = open(code, x[0] * x[1]), p = open(code, g[2]), q = open(code, g[3]);
  code.line(fmt::format("{}* const x = {} + {} * {};", type, text.out(0), plane, x[2] * x[3]));
  write_corner(code, windows, p, q);
  write_divisor(code, step, windows, type);
  code.line(fmt::format("const {} share = {}[({} * {} + {}) * {} + {}] / divisor;", type, text.in(0), plane,
                        g[2], p, g[3], q));
  open_window(code, windows);
  code.line(fmt::format("x[r * {} + c] += share;", x[3]));
  close(code, 5);
}

}  // namespace

std::vector<TextOf> pooling_texts() {
  return {{.name = "max_pool2d", .whole = write_max_pool2d},
          {.name = "max_pool2d_places", .whole = write_max_pool2d_places},
          {.name = "max_pool2d_put", .whole = write_put, .refuses = true},
          {.name = "max_pool2d_take", .whole = write_take, .refuses = true},
          {.name = "avg_pool2d", .whole = write_avg_pool2d},
          {.name = "avg_pool2d_spread", .whole = write_avg_pool2d_spread}};
}

}  // namespace xtgrad::v1::detail
