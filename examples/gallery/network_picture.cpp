#include "network_picture.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"

namespace gallery {

namespace {

constexpr plot::Size page{640, 410};
constexpr std::array<double, 2> rows{165, 325};
constexpr double radius = 27;
constexpr plot::TextStyle of_value{.size = 12.5, .color = plot::ink, .align = plot::Align::center};
constexpr plot::TextStyle bold{.size = 12.5, .bold = true, .align = plot::Align::center};
constexpr plot::TextStyle of_gradient{.size = 12.5, .color = plot::emphasis, .align = plot::Align::center};

/// Four decimals, without zeros at the end.
std::string text(double number) {
  const double rounded = std::round(number * 1e4) / 1e4;
  return rounded < 0 ? fmt::format("−{}", -rounded) : fmt::format("{}", std::abs(rounded));
}

/// The picture, and the numbers that it shows.
class Drawing {
 public:
  explicit Drawing(const RecordedGraph& graph) : graph_(graph) {}

  /// A column of two neurons or inputs.
  void discs(double x, const std::string& name, plot::Color fill) {
    for (std::size_t i = 0; i < 2; ++i) {
      const plot::Point center{x, rows[i]};
      canvas_.add(plot::Disc{center, radius, plot::ink});
      canvas_.add(plot::Disc{center, radius - 1.3, fill});
      write({x, rows[i] - 4}, name.substr(0, 1), bold);
      write({x, rows[i] + 12}, text(value(name, i)), of_value);
    }
  }

  /// What leads to a neuron's output: its bias and weighted sum, both with one gradient, δ. They stand where
  /// no edge is: above the upper neuron, below the lower one.
  void sums(double x, const std::string& layer) {
    for (std::size_t i = 0; i < 2; ++i) {
      const double y = i == 0 ? rows[0] - radius - 38 : rows[1] + radius + 18;
      write({x, y}, "b = " + text(value("b" + layer, i)), of_value);
      write({x, y + 15}, "z = " + text(value("z" + layer, i)), of_value);
      write({x, y + 30}, "δ = " + text(gradient("z" + layer, i)), of_gradient);
    }
  }

  /// The four weights between two columns. Each weight's numbers stand where no other edge is: near its
  /// start.
  void weights(double from, double to, const std::string& name) {
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j) {
        const double turn = std::atan2(rows[i] - rows[j], to - from);
        const plot::Point along{std::cos(turn), std::sin(turn)};
        const plot::Point start{from + radius * along.x, rows[j] + radius * along.y};
        const plot::Point end{to - radius * along.x, rows[i] - radius * along.y};
        canvas_.add(plot::Line{.points = {start, end}, .color = plot::faint_ink, .width = 1.2});
        const double share = i == j ? 0.5 : 0.25;
        const plot::Point at{start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)};
        const double degrees = -turn * 180 / std::numbers::pi;
        const auto beside = [&](double distance, double number, plot::TextStyle style) {
          style.turn = degrees;
          write({at.x - distance * along.y, at.y + distance * along.x}, text(number), style);
        };
        beside(-5, value(name, 2 * i + j), of_value);
        beside(14, gradient(name, 2 * i + j), of_gradient);
      }
    }
  }

  /// The cost at the right, between what comes out and what should.
  void cost(double from, double x) {
    const double y = (rows[0] + rows[1]) / 2;
    for (std::size_t i = 0; i < 2; ++i) {
      canvas_.add(plot::Line{.points = {{from + radius, rows[i]}, {x, y}}, .color = plot::faint_ink});
      write({x, rows[i] - 8}, "target y", of_value);
      write({x, rows[i] + 8}, text(value("y", i)), of_value);
    }
    canvas_.add(plot::Box{{x - 37, y - 24, 74, 48}, plot::ink});
    canvas_.add(plot::Box{{x - 35.7, y - 22.7, 71.4, 45.4}, plot::Color{230, 230, 230}});
    write({x, y - 4}, "cost C", bold);
    write({x, y + 12}, text(value("C", 0)), of_value);
  }

  /// What a column is, over it.
  void heading(double x, const std::string& what) {
    write({x, 80}, what, {.size = 12.5, .color = plot::faint_ink, .align = plot::Align::center});
  }

  void title() {
    write({plot::margin, 26}, "A network of two layers, there and back",
          {.size = plot::title_size, .bold = true});
    write({plot::margin, 46}, "black: values on the way forward", {.size = 12.5, .color = plot::ink});
    write({page.width / 2, 46}, "orange: derivatives of C on the way back",
          {.size = 12.5, .color = plot::emphasis});
  }

  [[nodiscard]] const plot::Canvas& canvas() const { return canvas_; }

 private:
  [[nodiscard]] const RecordedNode& node(const std::string& name) const {
    for (const RecordedNode& node : graph_.nodes) {
      if (node.graph.name == name) return node;
    }
    throw Error("draw_network: the graph has no tensor called " + name);
  }
  [[nodiscard]] double value(const std::string& name, std::size_t i) const {
    return plot::numbers(node(name).value).at(i);
  }
  [[nodiscard]] double gradient(const std::string& name, std::size_t i) const {
    return plot::numbers(node(name).cotangent).at(i);
  }
  void write(plot::Point at, const std::string& what, const plot::TextStyle& style) {
    canvas_.add(plot::Text{at, what, style});
  }

  const RecordedGraph& graph_;
  plot::Canvas canvas_{page};
};

}  // namespace

plot::Canvas draw_network(const RecordedGraph& graph) {
  constexpr double inputs = 50;
  constexpr double hidden = 240;
  constexpr double outputs = 430;
  Drawing drawing(graph);
  drawing.title();
  drawing.weights(inputs, hidden, "W₁");
  drawing.weights(hidden, outputs, "W₂");
  drawing.cost(outputs, 585);
  drawing.discs(inputs, "x", plot::Color{235, 235, 235});
  drawing.discs(hidden, "a₁", plot::Color{214, 232, 247});
  drawing.discs(outputs, "a₂", plot::Color{214, 232, 247});
  drawing.sums(hidden, "₁");
  drawing.sums(outputs, "₂");
  drawing.heading(inputs, "input x");
  drawing.heading(hidden, "hidden layer, a₁ = σ(z₁)");
  drawing.heading(outputs, "output layer, a₂ = σ(z₂)");
  return drawing.canvas();
}

}  // namespace gallery
