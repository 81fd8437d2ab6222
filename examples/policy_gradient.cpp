// A pole is balanced on a cart by a policy that learns from the gradient of its reward (Williams, "Simple
// statistical gradient-following algorithms for connectionist reinforcement learning", 1992).
// policy_gradient [--check] [--seed N] [--updates N] [PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

using namespace xtgrad;

namespace {

// [cart]
/// A cart on rails with a pole on a hinge (Barto, Sutton and Anderson, "Neuronlike adaptive elements that can
/// solve difficult learning control problems", 1983), without friction: metres, radians, seconds.
struct Cart {
  double x, speed, angle, spin;

  static constexpr double interval = 0.02;
  [[nodiscard]] bool is_lost() const {
    return std::abs(x) > 2.4 || std::abs(angle) > 12 * std::numbers::pi / 180;
  }
  /// An interval of Euler's method under a push of 10 N to the left (0) or to the right (1).
  void step(std::int64_t action) {
    const double gravity = 9.8, pole = 0.1, both = 1.1, half_length = 0.5;  // masses in kg
    const double s = std::sin(angle), c = std::cos(angle);
    const double push = ((action == 1 ? 10 : -10) + pole * half_length * spin * spin * s) / both;
    const double spin_up = (gravity * s - c * push) / (half_length * (4.0 / 3 - pole * c * c / both));
    const double speed_up = push - pole * half_length * spin_up * c / both;
    x += interval * speed;
    speed += interval * speed_up;
    angle += interval * spin;
    spin += interval * spin_up;
  }
};
// [/cart]

// [agent]
/// States [n, 4] to the logits of both actions [n, 2], and to the return that is expected, [n].
struct Agent : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&)> {
  nn::MLP actor, critic;

  explicit Agent(std::int64_t hidden)
      : actor({.sizes = {4, hidden, 2}, .activation = nn::ActivationKind::tanh}),
        critic({.sizes = {4, hidden, 1}, .activation = nn::ActivationKind::tanh}) {}
  void members(nn::Members& m) override {
    m("actor", actor);
    m("critic", critic);
  }
  std::pair<Tensor, Tensor> forward(const Tensor& states) override {
    return {actor(states), squeeze(critic(states), {1})};
  }
};

/// Its gradient is an estimate of that of the expected return: actions that did better than the critic had
/// expected become likelier. A little entropy keeps the policy trying.
Tensor policy_loss(const Tensor& logits, const Tensor& actions, const Tensor& advantages) {
  const distributions::Categorical policy({.logits = logits});
  return -mean(policy.log_prob(actions) * advantages) - 0.01 * mean(policy.entropy());
}
// [/agent]

// [play]
constexpr int longest = 500;       // steps of an episode; each is a reward of 1
constexpr double discount = 0.99;  // of a reward that is a step later

struct Episode {
  std::vector<Cart> states;  // before each action, and the last one
  std::vector<std::int64_t> actions;
  [[nodiscard]] double reward() const { return static_cast<double>(actions.size()); }
};

Tensor of_carts(const std::vector<Cart>& carts) {
  std::vector<float> numbers;
  for (const Cart& cart : carts) {
    for (const double number : {cart.x, cart.speed, cart.angle, cart.spin})
      numbers.push_back(static_cast<float>(number));
  }
  return from_span(numbers, {static_cast<std::int64_t>(carts.size()), 4});
}

/// Episodes side by side, by draws from the policy, or by its likeliest actions.
std::vector<Episode> play(Agent& agent, std::size_t count, bool likeliest, Random& random) {
  const NoGrad no_grad;
  std::vector<Episode> episodes(count);
  const auto small = [&] { return 0.1 * random.next_uniform() - 0.05; };
  for (Episode& episode : episodes) episode.states = {{small(), small(), small(), small()}};
  for (int step = 0; step < longest; ++step) {
    std::vector<Episode*> running;
    std::vector<Cart> carts;
    for (Episode& episode : episodes) {
      if (episode.states.back().is_lost()) continue;
      running.push_back(&episode);
      carts.push_back(episode.states.back());
    }
    if (running.empty()) break;
    const Tensor logits = agent.actor(of_carts(carts));
    const Tensor actions =
        likeliest ? argmax(logits, 1) : distributions::Categorical({.logits = logits}).sample({}, random);
    for (std::size_t i = 0; i < running.size(); ++i) {
      const std::int64_t action = actions.data<std::int64_t>()[i];
      carts[i].step(action);
      running[i]->actions.push_back(action);
      running[i]->states.push_back(carts[i]);
    }
  }
  return episodes;
}
// [/play]

// [returns]
struct Experience {
  Tensor states, actions, returns;  // [n, 4], [n], [n]
};

/// Returns are sums of discounted rewards, as shares of what they are when the pole never falls. Behind an
/// episode that was not lost the critic says what would have come.
Experience experience(Agent& agent, const std::vector<Episode>& episodes) {
  const NoGrad no_grad;
  std::vector<Cart> states;
  std::vector<std::int64_t> actions;
  std::vector<float> returns;
  for (const Episode& episode : episodes) {
    const Cart& last = episode.states.back();
    double rest = last.is_lost() ? 0 : agent.critic(of_carts({last})).item();
    std::vector<float> backwards;
    for (std::size_t i = 0; i < episode.actions.size(); ++i)
      backwards.push_back(static_cast<float>(rest = (1 - discount) + discount * rest));
    states.insert(states.end(), episode.states.begin(), episode.states.end() - 1);
    actions.insert(actions.end(), episode.actions.begin(), episode.actions.end());
    returns.insert(returns.end(), backwards.rbegin(), backwards.rend());
  }
  return {of_carts(states), from_vector(actions), from_vector(returns)};
}
// [/returns]

double mean_reward(const std::vector<Episode>& episodes) {
  double total = 0;
  for (const Episode& episode : episodes) total += episode.reward();
  return total / static_cast<double>(episodes.size());
}

/// Rewards of each update's episodes: the least, the mean, the largest.
struct Rewards {
  std::vector<double> update, least, mean, largest;

  void add(int at, const std::vector<Episode>& episodes) {
    const auto [low, high] = std::minmax_element(
        episodes.begin(), episodes.end(),
        [](const Episode& a, const Episode& b) { return a.actions.size() < b.actions.size(); });
    update.push_back(at);
    least.push_back(low->reward());
    mean.push_back(mean_reward(episodes));
    largest.push_back(high->reward());
  }
};

/// Until 20 episodes have 475 steps in the mean.
Rewards train(Agent& agent, int updates, Random& random) {
  Rewards rewards;
  // [train]
  optim::Adam adam(agent.parameters(), {.lr = 1e-2});
  for (int update = 0; update < updates; ++update) {
    const std::vector<Episode> episodes = play(agent, 20, false, random);
    rewards.add(update, episodes);
    const bool enough = rewards.mean.back() >= 475;
    if (update % 10 == 0 || enough || update + 1 == updates)
      std::printf("update %3d: %5.1f steps in the mean, %3.0f to %3.0f\n", update, rewards.mean.back(),
                  rewards.least.back(), rewards.largest.back());
    if (enough) break;
    const Experience seen = experience(agent, episodes);
    const auto [logits, expected] = agent(seen.states);
    const Tensor better = (seen.returns - expected).detach();
    const Tensor scale = sqrt(mean(square(better))) + 1e-6;
    const Tensor loss =
        policy_loss(logits, seen.actions, better / scale) + nn::mse_loss(expected, seen.returns);
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  // [/train]
  return rewards;
}

plot::Series angle_of(const std::string& label, const Episode& episode) {
  plot::Series line{.label = label, .x = {}, .y = {}, .markers = false};
  for (std::size_t i = 0; i < episode.states.size(); ++i) {
    line.x.push_back(static_cast<double>(i) * Cart::interval);
    line.y.push_back(episode.states[i].angle * 180 / std::numbers::pi);
  }
  return line;
}

void draw(const Rewards& rewards, const Episode& before, const Episode& after, const std::string& path) {
  const auto line = [&](const char* label, const std::vector<double>& y) {
    return plot::Series{.label = label, .x = rewards.update, .y = y, .markers = false};
  };
  const std::vector<plot::Chart> charts{
      {.title = "Steps of 20 episodes",
       .x = {.label = "update", .whole_numbers = true},
       .y = {.label = "steps", .lowest = 0, .highest = 500},
       .layers = {line("longest", rewards.largest), line("mean", rewards.mean),
                  line("shortest", rewards.least)}},
      {.title = "Angle of the pole",
       .x = {.label = "time (s)"},
       .y = {.label = "angle (degrees)"},
       .layers = {angle_of("at first", before), angle_of("at the end", after)}}};
  plot::save(plot::draw_charts(charts, {.width = 860, .height = 280}), path);
}

void check_gradients() {
  const Agent small(3);
  const Tensor states = tensor({{0.1, -0.4, 0.02, 0.3}, {-0.7, 0.2, 0.1, -0.5}}, {.dtype = float64});
  nn::require_grads(small, {states});
  const Tensor actions = tensor({1, 0, 1}, {.dtype = int64});
  require_grads([&](const Tensor& logits,
                    const Tensor& advantages) { return policy_loss(logits, actions, advantages); },
                {tensor({{0.3, -0.2}, {1, 0.5}, {-0.4, 0.1}}, {.dtype = float64}),
                 tensor({0.7, -1.2, 0.4}, {.dtype = float64})},
                {.name = "policy_loss"});
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  std::uint64_t seed = 0;
  int updates = 200;
  std::string picture;
  CLI::App app("A pole is balanced on a cart by a policy gradient");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--seed", seed, "of all random numbers");
  app.add_option("--updates", updates, "of the policy, at most");
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  manual_seed(seed);
  if (check) {
    check_gradients();
    std::printf("gradients are right\n");
    return 0;
  }
  Random& random = default_random();
  Agent agent(64);
  const Episode before = play(agent, 1, false, random)[0];
  const Rewards rewards = train(agent, updates, random);
  const std::vector<Episode> likeliest = play(agent, 100, true, random);
  std::printf("100 episodes by the likeliest actions: %.1f steps in the mean\n", mean_reward(likeliest));
  if (!picture.empty()) {
    draw(rewards, before, likeliest[0], picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
