#include "tests/support/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace xtgrad::inline v1::testing {
namespace {

struct Pipe {
  int read, write;
};

/// Its ends have high numbers, so that they are none of those the browser wants them at, and close in a
/// child.
Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("browser: no pipe");
  Pipe high{fcntl(ends[0], F_DUPFD_CLOEXEC, 64), fcntl(ends[1], F_DUPFD_CLOEXEC, 64)};
  close(ends[0]);
  close(ends[1]);
  return high;
}

/// Codes of keys; those of punctuation depend on the keyboard, and pages do not look at them.
int code_of(const std::string& key) {
  static const std::map<std::string, int> codes{
      {"ArrowLeft", 37}, {"ArrowUp", 38}, {"ArrowRight", 39}, {"ArrowDown", 40}, {"Home", 36},
      {"End", 35},       {"Enter", 13},   {"Escape", 27},     {"PageUp", 33},    {"PageDown", 34}};
  const auto known = codes.find(key);
  if (known != codes.end()) return known->second;
  const auto first = static_cast<unsigned char>(key.at(0));
  return std::isalnum(first) != 0 || first == ' ' ? std::toupper(first) : 0;
}

}  // namespace

std::filesystem::path chromium() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::filesystem::path program = std::filesystem::path(folder) / name;
      if (std::filesystem::exists(program)) return program;
    }
  }
  return {};
}

// What fails later leaves an object that ends the browser.
Browser::Browser(const std::filesystem::path& program, const std::filesystem::path& folder, int width,
                 int height)
    : Browser() {
  std::signal(SIGPIPE, SIG_IGN);  // a browser that has ended is an error of `write`
  const Pipe there = make_pipe(), back = make_pipe();
  std::vector<std::string> arguments{program.string(),
                                     "--headless",
                                     "--no-sandbox",
                                     "--disable-gpu",
                                     "--force-prefers-reduced-motion",
                                     "--remote-debugging-pipe",
                                     "--window-size=" + std::to_string(width) + "," + std::to_string(height),
                                     "--user-data-dir=" + folder.string()};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, there.read, 3);  // where the protocol wants them
  posix_spawn_file_actions_adddup2(&actions, back.write, 4);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const int failed = posix_spawn(&process_, program.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(there.read);
  close(back.write);
  to_browser_ = there.write;
  from_browser_ = back.read;
  if (failed != 0) {
    process_ = -1;
    throw std::runtime_error("browser: " + program.string() + " does not start");
  }
  const std::string target = command("Target.createTarget", {{"url", "about:blank"}})["targetId"];
  session_ = command("Target.attachToTarget", {{"targetId", target}, {"flatten", true}})["sessionId"];
  command("Page.enable", nlohmann::json::object());
  command("Emulation.setFocusEmulationEnabled", {{"enabled", true}});
  command("Emulation.setDeviceMetricsOverride",
          {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

Browser::~Browser() {
  if (to_browser_ >= 0) close(to_browser_);  // at which it ends
  if (from_browser_ >= 0) close(from_browser_);
  if (process_ > 0) {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
}

nlohmann::json Browser::next_message() {
  for (;;) {
    const std::size_t end = received_.find('\0');
    if (end != std::string::npos) {
      nlohmann::json message = nlohmann::json::parse(received_.substr(0, end));
      received_.erase(0, end + 1);
      return message;
    }
    pollfd waiting{.fd = from_browser_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, 60'000) <= 0) throw std::runtime_error("browser: no answer in a minute");
    std::array<char, 4096> buffer{};
    const ssize_t count = read(from_browser_, buffer.data(), buffer.size());
    if (count <= 0) throw std::runtime_error("browser: it has ended");
    received_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

nlohmann::json Browser::command(const std::string& method, const nlohmann::json& parameters) {
  const int id = ++commands_;
  nlohmann::json message{{"id", id}, {"method", method}, {"params", parameters}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = write(to_browser_, text.data() + sent, text.size() - sent);
    if (count <= 0) throw std::runtime_error("browser: it takes no more commands");
    sent += static_cast<std::size_t>(count);
  }
  for (;;) {
    const nlohmann::json answer = next_message();
    if (answer.contains("method")) events_.push_back(answer["method"]);
    if (!answer.contains("id") || answer["id"] != id) continue;
    if (answer.contains("error")) throw std::runtime_error("browser: " + answer["error"].dump());
    return answer["result"];
  }
}

void Browser::open(const std::filesystem::path& html) {
  events_.clear();
  command("Page.navigate", {{"url", "file://" + html.string()}});
  while (std::find(events_.begin(), events_.end(), "Page.loadEventFired") == events_.end()) {
    const nlohmann::json message = next_message();
    if (message.contains("method")) events_.push_back(message["method"]);
  }
}

nlohmann::json Browser::evaluate(const std::string& expression) {
  const nlohmann::json answer = command(
      "Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (answer.contains("exceptionDetails")) throw std::runtime_error("browser: " + answer.dump());
  return answer["result"].value("value", nlohmann::json());  // undefined has none
}

void Browser::press(const std::string& key) {
  nlohmann::json event{{"type", "keyDown"},
                       {"key", key},
                       {"code", key == " " ? "Space" : key},
                       {"windowsVirtualKeyCode", code_of(key)}};
  if (key.size() == 1) event["text"] = key;
  if (key == "Enter") event["text"] = "\r";
  command("Input.dispatchKeyEvent", event);
  event.erase("text");
  event["type"] = "keyUp";
  command("Input.dispatchKeyEvent", event);
}

void Browser::click(double x, double y) {
  for (const char* type : {"mouseMoved", "mousePressed", "mouseReleased"}) {
    const bool moves = std::string(type) == "mouseMoved";
    command("Input.dispatchMouseEvent", {{"type", type},
                                         {"x", x},
                                         {"y", y},
                                         {"button", moves ? "none" : "left"},
                                         {"clickCount", moves ? 0 : 1}});
  }
}

}  // namespace xtgrad::testing
