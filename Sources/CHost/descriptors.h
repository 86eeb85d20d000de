/// Between the files of this target.
#pragma once

/// Closes all descriptors from `first` on. Async-signal-safe.
void chost_close_from(int first);
