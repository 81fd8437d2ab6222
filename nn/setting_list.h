#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/nn/members.h"
#include "xtgrad/nn/settings.h"

namespace xtgrad::inline v1::nn::detail {

/// Lists options of any kind as settings, "options." and their name, which are numbers, and takes changed
/// ones back. Throws ValueError, in the owner's name, for a number that is no such option.
class SettingList {
 public:
  SettingList(std::string_view owner, Members& m, std::shared_ptr<const void>& holder)
      : owner_(owner), m_(m), holder_(holder) {}

  void operator()(const std::string& name, double& value);
  /// Adopts whole numbers up to 2^53.
  void operator()(const std::string& name, std::int64_t& value);
  /// As 0 or 1.
  void operator()(const std::string& name, bool& value);
  /// As two: whether it is there, `name` and ".given", and its value, 0 where it is not.
  template <class T>
  void operator()(const std::string& name, std::optional<T>& value) {
    bool given = value.has_value();
    T number = value.value_or(T{});
    (*this)(name + ".given", given);
    (*this)(name, number);
    value = given ? std::optional<T>(number) : std::nullopt;
  }

  [[nodiscard]] bool changed() const { return changed_; }

 private:
  /// True if the number is another one now.
  bool list(const std::string& name, double& number);

  std::string_view owner_;
  Members& m_;
  std::shared_ptr<const void>& holder_;
  bool changed_ = false;
};

/// `each(options, list)` calls `list(name, option)` for each of them. Where one has changed, `settings` gets
/// the new options, once `check` has seen them.
template <class Options, class Each, class Check>
void list_settings(Settings<Options>& settings, std::string_view owner, Members& m, const Each& each,
                   const Check& check) {
  Options options = *settings;
  SettingList list(owner, m, settings.holder());
  each(options, list);
  if (!list.changed()) return;
  check(std::as_const(options));
  settings = Settings<Options>(options);
}

}  // namespace xtgrad::v1::nn::detail
