#pragma once

// The library is compiled with hidden symbols. A public header opens its namespace with
//   namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {
// and whatever is declared inside is exported, wherever it is defined; internal headers say plain `v1`, and
// stay inside the library.
// XTGRAD_LOCAL hides what a public header has to declare, but only the library calls.
// clang takes the attribute before a namespace's name in this spelling alone.
#if defined(__GNUC__)
#define XTGRAD_PUBLIC [[gnu::visibility("default")]]
#define XTGRAD_LOCAL [[gnu::visibility("hidden")]]
#else
#define XTGRAD_PUBLIC
#define XTGRAD_LOCAL
#endif
