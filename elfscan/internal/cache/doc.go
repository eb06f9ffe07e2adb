// Package cache answers: is this result of an earlier run still there, unharmed, and ours?
//
// A Cache keeps blobs of bytes by key under one directory, one file each. What it gives back was put
// in by this very build of the program: the build's identity is part of every entry, so that no run
// reads what other code has computed. A file counts only if nobody but the user or root can have
// written it and its checksum holds; everything else is a miss. The owner check is what guards
// against forged results, the checksum only guards against damage.
//
// Nothing here is an error for the caller: what cannot be read is computed again, and what cannot
// be written is computed again next time. Files appear under their names complete (written under
// another name and renamed), so that any number of processes may share a directory.
package cache
