#include "tests/support/skip.h"

#include <doctest/doctest.h>

namespace xtgrad::inline v1::testing {
namespace {

bool case_skips = false;
int cases = 0;
int skipped_cases = 0;

/// Counts, and writes nothing.
struct Counter final : doctest::IReporter {
  explicit Counter(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData&) override { case_skips = false; }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    ++cases;
    if (case_skips) ++skipped_cases;
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

REGISTER_LISTENER("skips", 1, Counter);

}  // namespace

void skip(const std::string& reason) {
  case_skips = true;
  MESSAGE("skipped: " << reason);
}

int exit_code(int result) {
  const bool all_skipped = cases > 0 && skipped_cases == cases;
  return result == 0 && all_skipped ? skipped_exit_code : result;
}

}  // namespace xtgrad::testing
