#include "xtgrad/autograd/sweep/node_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <vector>

#include "xtgrad/autograd/creation.h"

using namespace xtgrad;
using detail::Node;
using detail::node_of;
using detail::NodeQueue;
using detail::NodeTable;

namespace {

std::vector<Tensor> tensors(int count) {
  std::vector<Tensor> made;
  for (int i = 0; i < count; ++i) made.push_back(full({}, i));
  return made;
}

}  // namespace

TEST_CASE("a node table finds what was put in, and nothing else, whatever is taken out between") {
  const std::vector<Tensor> nodes = tensors(500);
  std::map<const Node*, int> wanted;
  NodeTable<int> table;
  std::mt19937 random(7);
  CHECK(table.find(node_of(nodes[0])) == nullptr);
  for (int step = 0; step < 20000; ++step) {
    const Node& node = node_of(nodes[random() % nodes.size()]);
    const auto known = wanted.find(&node);
    int* found = table.find(node);
    REQUIRE((found != nullptr) == (known != wanted.end()));
    if (found == nullptr) {
      table.reserve(1);
      table.insert(node, step);
      wanted.emplace(&node, step);
    } else {
      REQUIRE(*found == known->second);
      REQUIRE(table.take(node) == known->second);
      wanted.erase(known);
    }
  }
  for (const auto& [node, value] : wanted) CHECK(*table.find(*node) == value);
}

TEST_CASE("a node queue gives the largest id first, equal ones as they came") {
  for (const int count : {1, 2, 3, 12, 13, 14, 300}) {
    CAPTURE(count);
    const std::vector<Tensor> nodes = tensors(count);
    // As if several threads had made them: every id occurs up to four times.
    for (std::size_t i = 0; i < nodes.size(); ++i) node_of(nodes[i]).id = i / 4;
    std::vector<std::size_t> order(nodes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(3));
    NodeQueue<int> queue;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Node& node = node_of(nodes[order[i]]);
      CHECK(queue.find(node) == nullptr);
      queue.insert(node, static_cast<int>(i));
      REQUIRE(queue.find(node) != nullptr);
      CHECK(*queue.find(node) == static_cast<int>(i));
    }
    std::uint64_t last_id = ~std::uint64_t{0};
    int last_arrival = -1;
    for (int i = 0; i < count; ++i) {
      const auto [node, arrival] = queue.pop();
      REQUIRE(node->id <= last_id);
      if (node->id == last_id) CHECK(arrival > last_arrival);
      CHECK(queue.find(*node) == nullptr);
      last_id = node->id;
      last_arrival = arrival;
    }
    CHECK(queue.empty());
  }
}

TEST_CASE("a node queue asks of every node in waiting, and gives any of them for least work") {
  for (const int count : {0, 1, 2, 30}) {
    CAPTURE(count);
    const std::vector<Tensor> nodes = tensors(count);
    NodeQueue<int> queue;
    for (int i = 0; i < count; ++i) queue.insert(node_of(nodes[static_cast<std::size_t>(i)]), int{i});
    for (int i = 0; i < count; ++i) {
      const Node& each = node_of(nodes[static_cast<std::size_t>(i)]);
      CHECK(queue.any_of([&](const Node& node, int value) { return &node == &each && value == i; }));
      CHECK_FALSE(queue.any_of([&](const Node& node, int value) { return &node == &each && value != i; }));
    }
    CHECK_FALSE(queue.any_of([](const Node&, int) { return false; }));
    std::vector<bool> seen(nodes.size());
    const auto note = [&](const NodeQueue<int>::Entry& entry) {
      const auto i = static_cast<std::size_t>(entry.value);
      CHECK(entry.node == &node_of(nodes[i]));
      CHECK_FALSE(seen[i]);
      seen[i] = true;
      return entry.node->id;
    };
    for (int i = 0; i < count / 3; ++i) note(queue.pop_any());
    // What is left is in order.
    for (std::uint64_t last = ~std::uint64_t{0}; !queue.empty();) {
      const std::uint64_t id = note(queue.pop());
      CHECK(id < last);
      last = id;
    }
    CHECK(std::count(seen.begin(), seen.end(), true) == count);
  }
}

TEST_CASE("a node queue keeps the order while nodes come and go, near ones and far ones") {
  const std::vector<Tensor> nodes = tensors(400);
  for (std::size_t i = 0; i < nodes.size(); ++i) node_of(nodes[i]).id = i;
  std::mt19937 random(11);
  // How far below the last that came the next one is at most: as along a chain with parts, and anywhere.
  for (const std::size_t reach : {std::size_t{3}, std::size_t{20}, nodes.size()}) {
    CAPTURE(reach);
    std::map<std::uint64_t, int> wanted;
    NodeQueue<int> queue;
    std::size_t last = nodes.size() - 1;
    for (int step = 0; step < 20000; ++step) {
      if (wanted.empty() || random() % 2 == 0) {
        const bool near = random() % 4 != 0;
        const std::size_t i = near ? last - std::min(last, random() % reach) : random() % nodes.size();
        int* found = queue.find(node_of(nodes[i]));
        REQUIRE((found != nullptr) == wanted.contains(i));
        if (found != nullptr) {
          REQUIRE(*found == wanted[i]);
          continue;
        }
        queue.insert(node_of(nodes[i]), int{step});
        wanted[i] = step;
      } else {
        const auto [node, value] = queue.pop();
        const auto first = std::prev(wanted.end());
        REQUIRE(node->id == first->first);
        REQUIRE(value == first->second);
        last = first->first != 0 ? first->first : nodes.size() - 1;
        wanted.erase(first);
      }
    }
    REQUIRE(queue.empty() == wanted.empty());
  }
}

TEST_CASE("a node queue keeps the order of trees, tables of parts, and of both at once") {
  const std::vector<Tensor> nodes = tensors(4096);
  for (std::size_t i = 0; i < nodes.size(); ++i) node_of(nodes[i]).id = i;
  std::mt19937 random(5);
  // Of a node popped, two below come, as far below as half of its number: levels of a tree. Or a table's
  // parts come first, of which all wait to the end. Some come twice, and are found.
  for (const std::size_t parts : {std::size_t{0}, std::size_t{300}}) {
    CAPTURE(parts);
    std::map<std::uint64_t, int> wanted;
    NodeQueue<int> queue;
    const auto come = [&](std::size_t i, int value) {
      int* found = queue.find(node_of(nodes[i]));
      REQUIRE((found != nullptr) == wanted.contains(i));
      if (found != nullptr) {
        REQUIRE(*found == wanted[i]);
        return;
      }
      queue.insert(node_of(nodes[i]), int{value});
      wanted[i] = value;
    };
    come(nodes.size() - 1, -1);
    for (std::size_t i = 0; i < parts; ++i) come(i * 3 % 901, static_cast<int>(i));
    for (int step = 0; !wanted.empty(); ++step) {
      const auto [node, value] = queue.pop();
      const auto first = std::prev(wanted.end());
      REQUIRE(node->id == first->first);
      REQUIRE(value == first->second);
      wanted.erase(first);
      if (node->id < 2) continue;
      const std::size_t below = node->id / 2;
      come(below - 1, step);
      come(below, step);
      if (random() % 7 == 0) come(random() % node->id, step);
    }
    REQUIRE(queue.empty());
  }
}
