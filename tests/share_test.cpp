#include "tests/support/share.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include "xtgrad/autograd/errors.h"

using xtgrad::testing::parse_share;
using xtgrad::testing::Share;

TEST_CASE("the parts of a long test are disjoint, and all of it together") {
  for (std::size_t item = 0; item < 20; ++item) {
    std::size_t owners = 0;
    for (std::size_t part = 0; part < 3; ++part)
      owners += parse_share(std::to_string(part) + "/3").has(item) ? 1 : 0;
    CHECK(owners == 1);
    CHECK(Share{}.has(item));
  }
  CHECK(Share{}.least_of(200) == 200);
  CHECK(parse_share("1/3").least_of(200) == 66);
}

TEST_CASE("what is no part of a long test is refused") {
  for (const std::string text : {"3/3", "1/0", "1", "1/", "/3", "a/3", "1/3 ", "-1/3", "1:3"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(static_cast<void>(parse_share(text)),
                         ("XTGRAD_SHARE must be such as 0/3, 1/3 or 2/3: got " + text).c_str(),
                         xtgrad::ValueError);
  }
}
