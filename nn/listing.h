#pragma once

#include <string>
#include <vector>

#include "xtgrad/nn/members.h"
#include "xtgrad/nn/module_base.h"

namespace xtgrad::inline v1::nn::detail {

/// `members` is one function for reading and for writing, so it is not const. This is for visitors that only
/// read.
inline Stateful& readable(const Stateful& object) { return const_cast<Stateful&>(object); }

/// Every parameter of a model once, with its first path. Marks each as listed by the model and gives it its
/// name.
std::vector<NamedParameter> list_parameters(ModuleBase& root);

/// For a parameter that is about to be used: throws GraphError if a model is running and recording, and does
/// not list `parameter`, which wants a gradient. Cheap once the model has listed it.
void check_listed(const Parameter& parameter);

/// The path of `module` in `root`; "" for the root itself, and if this returns false: the root does not list
/// it.
bool find_path(ModuleBase& root, const ModuleBase& module, std::string& path);

}  // namespace xtgrad::v1::nn::detail
