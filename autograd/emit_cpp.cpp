#include "xtgrad/autograd/emit_cpp.h"

#include <fmt/format.h>

#include "xtgrad/autograd/emit/file.h"
#include "xtgrad/autograd/emit/statements.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

std::string emit_cpp(const Program& program, const EmitOptions& options) {
  for (const std::string* name : {&options.name, &options.function}) {
    if (detail::is_identifier(*name)) continue;
    throw ValueError(fmt::format("emit_cpp: a name must be an identifier of C++: got \"{}\"", *name));
  }
  return detail::emitted_file(*program.unfused(), options);
}

}  // namespace xtgrad::v1
