import Foundation
import Logging
import NIOCore
import Store
import Synchronization

/// What is done from time to time: what the database could not take before, and the copies of dead
/// nodes.
extension SentCopySharing {
    /// Octets of copies that are stored or fetched in one turn. Meanwhile no other copy is stored or
    /// confirmed, and senders wait.
    private static let turnOctets: UInt64 = 4 * 1_024 * 1_024

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
        self.takeTurn(suffix: suffix, adopt: adopt)
    }

    /// Works for one turn. The next one follows what was submitted meanwhile.
    private func takeTurn(suffix: String, adopt: @escaping @Sendable (StoredSentCopy) -> Void) {
        self.writer.submit { [self] in
            if self.look(suffix: suffix, adopt: adopt) {
                self.takeTurn(suffix: suffix, adopt: adopt)
            } else {
                self.state.withLock { $0.isPolling = false }
            }
        }
    }

    /// - Returns: Whether the turn ended before everything was tried.
    private func look(suffix: String, adopt: (StoredSentCopy) -> Void) -> Bool {
        let state = self.state.withLock { $0 }
        guard self.isAvailable, !state.isStopped else { return false }
        for (name, removal) in state.removals { self.remove(name, because: removal) }
        do {
            guard try self.shareSent(state.known, suffix: suffix) else { return true }
            for name in state.unknown {
                try self.store.setUnknownSentCopy(name)
                self.state.withLock { _ = $0.unknown.remove(name) }
            }
            return try !self.fetch(suffix: suffix, adopt: adopt)
        } catch {
            self.failed("fetch", of: "*", error: error)
            return false
        }
    }

    /// Stores the copies that the database could not take before, and confirms them.
    /// - Returns: Whether all were tried in this turn.
    /// - Throws: the error of a database that cannot be used.
    private func shareSent(_ known: [String: Known], suffix: String) throws -> Bool {
        var octets: UInt64 = 0
        for (name, known) in known where known.isSent && !known.isFiling {
            guard octets < Self.turnOctets else { return false }
            do {
                if !known.isShared {
                    try self.share(known.copy, from: self.file(name, suffix: suffix))
                    octets += known.copy.octets
                }
                if !known.isConfirmed { _ = self.confirm(name) }
            } catch let error as StoreError where error.kind == .unusable {
                // The others would fail as well.
                throw error
            } catch {
                // Its file or its account was removed, for example.
                self.failed("store", of: name, error: error)
            }
        }
        return true
    }

    /// Fetches copies of this process that have no file here: those of dead nodes, and those that
    /// an older state of the database brought back.
    /// - Returns: Whether all were tried in this turn.
    private func fetch(suffix: String, adopt: (StoredSentCopy) -> Void) throws -> Bool {
        let state = self.state.withLock { $0 }
        let own = try self.store.ownSentCopies()
        self.forgetLost(own: Set(own.map(\.name)), suffix: suffix)
        var octets: UInt64 = 0
        for copy in own
        where state.known[copy.name] == nil && state.removals[copy.name] == nil {
            guard octets < Self.turnOctets else { return false }
            do {
                try self.fetch(copy, to: self.file(copy.name, suffix: suffix))
            } catch let error as StoreError where error.kind == .notFound {
                self.failed("fetch", of: copy.name, error: error)
                continue
            }
            octets += copy.octets
            self.state.withLock { state in
                state.fetches += 1
                state.known[copy.name] = Known(
                    copy: copy,
                    isShared: true,
                    mayHaveRow: true,
                    isSent: true,
                    isConfirmed: true,
                    wasElsewhere: true,
                    generation: state.fetches
                )
            }
            adopt(copy)
        }
        return true
    }

    /// Drops the files of copies that another node took over while this one was paused or cut off.
    /// An attempt that is scheduled finds no file. One that has begun may not end.
    /// - Parameter own: the names of the copies that this process has by the database.
    private func forgetLost(own: Set<String>, suffix: String) {
        let known = self.state.withLock(\.known)
        for (name, copy) in known
        where copy.isConfirmed && copy.isShared && !own.contains(name) {
            guard !copy.isFiling else {
                self.change(name) { known in
                    known.isDoubtful = true
                    known.wasElsewhere = true
                }
                continue
            }
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
