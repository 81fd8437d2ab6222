#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Throws IoError, in `caller`'s name and with the system's reason, unless a file can be made and written in
/// the folder. It makes one, and removes it: permissions alone do not tell, least of all to root, and whoever
/// finds out when the first result is to be saved has lost what led to it.
void check_writable_folder(std::string_view caller, const std::string& folder);

}}}  // namespace xtgrad::v1::training
