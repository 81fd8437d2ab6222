#pragma once

// Which sanitizer a file is compiled for, as 1 or 0: gcc and clang each say so in a way of their own.

#if defined(__SANITIZE_ADDRESS__)
#define XTGRAD_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XTGRAD_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef XTGRAD_ADDRESS_SANITIZER
#define XTGRAD_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__)
#define XTGRAD_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define XTGRAD_THREAD_SANITIZER 1
#endif
#endif
#ifndef XTGRAD_THREAD_SANITIZER
#define XTGRAD_THREAD_SANITIZER 0
#endif
