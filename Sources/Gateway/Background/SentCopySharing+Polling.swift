import Foundation
import Logging
import NIOCore
import Store
import Synchronization

/// What is done from time to time: what the database could not take before, and the copies of dead
/// nodes.
extension SentCopySharing {
    /// Octets of copies that are fetched in a row. Meanwhile no other copy is stored.
    private static let fetchedOctets: UInt64 = 64 * 1_024 * 1_024

    /// Writes what the database could not take before, and fetches the copies that this node took
    /// over.
    /// - Parameters:
    ///   - suffix: of the files of copies whose messages went out.
    ///   - adopt: receives each fetched copy, on the background thread.
    func poll(suffix: String, adopt: @escaping @Sendable (StoredSentCopy) -> Void) {
        let begins = self.state.withLock { state in
            defer { state.isPolling = true }
            return !state.isPolling
        }
        guard begins else { return }
        self.writer.submit { [self] in
            if self.isAvailable { self.look(suffix: suffix, adopt: adopt) }
            self.state.withLock { $0.isPolling = false }
        }
    }

    private func look(suffix: String, adopt: (StoredSentCopy) -> Void) {
        let state = self.state.withLock { $0 }
        for (name, isFiled) in state.removals { self.remove(name, isFiled: isFiled) }
        for (name, known) in state.known where known.isSent && !known.isFiling {
            guard known.isShared || self.share(known.copy, from: self.file(name, suffix: suffix))
            else {
                // The others would fail as well.
                break
            }
            if !known.isConfirmed { _ = self.confirm(name) }
        }
        do {
            for name in state.unknown {
                try self.store.setUnknownSentCopy(name)
                self.state.withLock { _ = $0.unknown.remove(name) }
            }
            try self.fetch(suffix: suffix, adopt: adopt)
        } catch {
            self.failed("fetch", of: "*", error: error)
        }
    }

    /// Fetches copies of this process that have no file here: those of dead nodes, and those that
    /// an older state of the database brought back.
    private func fetch(suffix: String, adopt: (StoredSentCopy) -> Void) throws {
        let state = self.state.withLock { $0 }
        let own = try self.store.ownSentCopies()
        self.forgetLost(own: Set(own.map(\.name)), suffix: suffix)
        var octets: UInt64 = 0
        for copy in own
        where state.known[copy.name] == nil && state.removals[copy.name] == nil {
            guard octets < Self.fetchedOctets else { return }
            octets += copy.octets
            try self.fetch(copy, to: self.file(copy.name, suffix: suffix))
            self.state.withLock {
                $0.known[copy.name] = Known(
                    copy: copy,
                    isShared: true,
                    mayHaveRow: true,
                    isSent: true,
                    isConfirmed: true,
                    wasElsewhere: true
                )
            }
            adopt(copy)
        }
    }

    /// Drops the files of copies that another node took over while this one was paused or cut off.
    /// An attempt that is scheduled finds no file.
    /// - Parameter own: the names of the copies that this process has by the database.
    private func forgetLost(own: Set<String>, suffix: String) {
        let known = self.state.withLock(\.known)
        for (name, copy) in known
        where copy.isConfirmed && copy.isShared && !copy.isFiling && !own.contains(name) {
            guard case .lost = self.confirm(name) else { continue }
            self.logger.notice(
                "a sent copy is dropped here, because another node files it or did",
                metadata: ["copy": "\(name)"]
            )
            self.forget(name, file: self.file(name, suffix: suffix))
        }
    }

    /// Writes the message of a copy to the disk.
    private func fetch(_ copy: StoredSentCopy, to file: URL) throws {
        let partial = self.file(copy.name, suffix: SentCopy.partial)
        let handle = try SentCopy.create(partial)
        defer { try? handle.close() }
        try self.store.readSentCopy(copy, into: handle)
        try handle.synchronize()
        // The marker first: a file without one is filed whatever the database says.
        try self.mark(copy.name)
        try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: partial, to: file)
        try SentCopy.syncFolder(self.folder)
    }
}
