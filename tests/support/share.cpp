#include "tests/support/share.h"

#include <cstdlib>
#include <sstream>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::testing {

Share parse_share(const std::string& text) {
  std::istringstream in(text);
  std::size_t part = 0, of = 0;
  char slash = 0;
  const bool is_one = static_cast<bool>(in >> part >> slash >> of) && slash == '/' && in.eof();
  if (!is_one || part >= of) throw ValueError("XTGRAD_SHARE must be such as 0/3, 1/3 or 2/3: got " + text);
  return {part, of};
}

Share share() {
  const char* text = std::getenv("XTGRAD_SHARE");
  return text == nullptr || *text == '\0' ? Share{} : parse_share(text);
}

}  // namespace xtgrad::v1::testing
