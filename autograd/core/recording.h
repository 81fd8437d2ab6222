#pragma once

#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/scoped_setting.h"

namespace xtgrad::inline v1::detail {

/// Who sets whether this thread records: `NoGrad`, `EnableGrad` and sweeps. They are in one list, for a
/// function that a sweep calls may end a scope that began outside of it.
extern thread_local constinit ScopedSetting<bool>* recording_scopes
    __attribute__((tls_model("initial-exec")));

/// For the member of a scope that begins: sets, and remembers what was before.
inline ScopedSetting<bool> begin_recording_scope(bool on) {
  return {recording_scopes,
          thread_state.set_recording(on)};  // made in its place, whose address is in the list
}
inline void end_recording_scope(ScopedSetting<bool>& scope) {
  thread_state.set_recording(scope.leave(recording_scopes, thread_state.records()));
}

/// While it lives, the thread records or does not.
class RecordingScope {
 public:
  explicit RecordingScope(bool on) : scope_(begin_recording_scope(on)) {}
  ~RecordingScope() { end_recording_scope(scope_); }
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

 private:
  ScopedSetting<bool> scope_;
};

}  // namespace xtgrad::v1::detail
