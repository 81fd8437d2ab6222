#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/support/skip.h"

int main(int argc, char** argv) { return xtgrad::testing::exit_code(doctest::Context(argc, argv).run()); }
