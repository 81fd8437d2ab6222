// Texts of convolutions and of their two gradients.
#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/emit/text_table.h"
#include "xtgrad/autograd/emit/windows.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The loops that all three share: over images, channels of a group on both sides, and the kernel.
struct Channels {
  std::int64_t images, in, out;  // channels of one group
  std::int64_t groups;
  PlaneWindows windows;

  [[nodiscard]] std::int64_t image() const { return windows.rows.size * windows.columns.size; }
  [[nodiscard]] std::int64_t result() const { return windows.rows.places * windows.columns.places; }
  [[nodiscard]] std::int64_t kernel() const { return windows.rows.kernel * windows.columns.kernel; }
};

Channels channels_of(const StepView& step, const Shape& x, const Shape& weight, const Shape& y) {
  const std::int64_t groups = step.has("groups") ? step.integer("groups") : 1;
  return {x[0], weight[1], weight[0] / groups, groups, windows_of(step, x, y, Size2d(weight[2], weight[3]))};
}

std::string open(Statements& code, std::int64_t n) {
  const std::string i = code.fresh("i");
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i, n));
  return i;
}

/// Planes of a channel: `base + (image * channels + channel) * size`.
void plane(Statements& code, std::string_view name, std::string_view type, const std::string& base,
           const std::string& image, std::int64_t channels, const std::string& channel, std::int64_t size) {
  code.line(fmt::format("{}* const {} = {} + ({} * {} + {}) * {};", type, name, base, image, channels,
                        channel, size));
}

/// What a channel is called among those of all groups.
std::string channel_of(const Channels& c, const std::string& group, std::int64_t of_group,
                       const std::string& own) {
  return c.groups == 1 ? own : fmt::format("{} * {} + {}", group, of_group, own);
}

/// y += w x or x += w y, plane by plane: `statement` is that of one element, of `y`, `x` and `w`.
void write_planes(Statements& code, const Channels& c, std::string_view statement, const std::string& weight,
                  std::string_view type, const std::string& own_weight) {
  const std::string ki = open(code, c.windows.rows.kernel), kj = open(code, c.windows.columns.kernel);
  code.line(fmt::format("const {} w = {}[{} + {} * {} + {}];", type, weight, own_weight, ki,
                        c.windows.columns.kernel, kj));
  const std::string p = open_places(code, c.windows.rows, ki);
  code.line(fmt::format("auto* const y_row = y + {} * {};", p, c.windows.columns.places));
  code.line(fmt::format("auto* const x_row = x + ({}) * {};", inside(c.windows.rows, p, ki),
                        c.windows.columns.size));
  const std::string q = open_places(code, c.windows.columns, kj);
  code.line(fmt::format(fmt::runtime(statement), q, inside(c.windows.columns, q, kj)));
  for (int k = 0; k < 4; ++k) code.close();
}

void write_conv2d(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.out().dtype));
  const Channels c = channels_of(step, step.in(0).shape, step.in(1).shape, step.out().shape);
  const std::string n = open(code, c.images), g = open(code, c.groups), o = open(code, c.out);
  const std::string out = channel_of(c, g, c.out, o);
  plane(code, "y", type, text.out(0), n, c.groups * c.out, out, c.result());
  const std::string bias = step.inputs() > 2 ? fmt::format("{}[{}]", text.in(2), out) : "0";
  const std::string i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) y[{0}] = {2};", i, c.result(), bias));
  const std::string s = open(code, c.in);
  plane(code, "x", "const " + type, text.in(0), n, c.groups * c.in, channel_of(c, g, c.in, s), c.image());
  write_planes(code, c, "y_row[{0}] += w * x_row[{1}];", text.in(1), type,
               fmt::format("(({}) * {} + {}) * {}", out, c.in, s, c.kernel()));
  for (int k = 0; k < 4; ++k) code.close();
}

/// The gradient of the input: every element of y, times its window's weights, back to where it was read.
void write_conv_transpose2d(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.out().dtype));
  const Channels c = channels_of(step, step.out().shape, step.in(1).shape, step.in(0).shape);
  const std::string i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", i, step.out().shape.numel(),
                        text.out(0)));
  const std::string n = open(code, c.images), g = open(code, c.groups), s = open(code, c.in);
  plane(code, "x", type, text.out(0), n, c.groups * c.in, channel_of(c, g, c.in, s), c.image());
  const std::string o = open(code, c.out);
  const std::string out = channel_of(c, g, c.out, o);
  plane(code, "y", "const " + type, text.in(0), n, c.groups * c.out, out, c.result());
  write_planes(code, c, "x_row[{1}] += w * y_row[{0}];", text.in(1), type,
               fmt::format("(({}) * {} + {}) * {}", out, c.in, s, c.kernel()));
  for (int k = 0; k < 4; ++k) code.close();
}

/// Sums over all places of all images, in double: there are many of them.
void write_weight_grad(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string type(cpp_type(step.out().dtype));
  const Channels c = channels_of(step, step.in(0).shape, step.out().shape, step.in(1).shape);
  const SideWindows &rows = c.windows.rows, &columns = c.windows.columns;
  const std::string g = open(code, c.groups), o = open(code, c.out), s = open(code, c.in);
  const std::string out = channel_of(c, g, c.out, o), ki = open(code, rows.kernel);
  const std::string sums = text.scratch(Dtype::float64, columns.kernel);
  const auto clear = code.fresh("j");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", clear, columns.kernel, sums));
  const std::string n = open(code, c.images);
  plane(code, "x", "const " + type, text.in(0), n, c.groups * c.in, channel_of(c, g, c.in, s), c.image());
  plane(code, "y", "const " + type, text.in(1), n, c.groups * c.out, out, c.result());
  const std::string p = open_places(code, rows, ki);
  code.line(fmt::format("const {}* const y_row = y + {} * {};", type, p, columns.places));
  code.line(fmt::format("const {}* const x_row = x + ({}) * {};", type, inside(rows, p, ki), columns.size));
  const std::string kj = open(code, columns.kernel);
  code.line("double sum = 0;");
  const std::string q = open_places(code, columns, kj);
  code.line(fmt::format("sum += static_cast<double>(y_row[{}]) * static_cast<double>(x_row[{}]);", q,
                        inside(columns, q, kj)));
  code.close();
  code.line(fmt::format("{}[{}] += sum;", sums, kj));
  for (int k = 0; k < 3; ++k) code.close();
  const std::string j = code.fresh("j");
  code.line(
      fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[(({3}) * {4} + {5}) * {6} + {7} * {1} + {0}] = "
                  "static_cast<{8}>({9}[{0}]);",
                  j, columns.kernel, text.out(0), out, c.in, s, c.kernel(), ki, type, sums));
  for (int k = 0; k < 4; ++k) code.close();
}

}  // namespace

std::vector<TextOf> convolution_texts() {
  return {{.name = "conv2d", .whole = write_conv2d},
          {.name = "conv_transpose2d", .whole = write_conv_transpose2d},
          {.name = "conv2d_weight_grad", .whole = write_weight_grad}};
}

}  // namespace xtgrad::v1::detail
