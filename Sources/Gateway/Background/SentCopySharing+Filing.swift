import Foundation
import NIOCore
import Store
import Synchronization

/// Filing: the database is asked before an attempt, and before the end of its APPEND.
extension SentCopySharing {
    /// A copy that an earlier run left in a file, and whose message went out.
    func found(_ copy: StoredSentCopy) {
        let isShared = FileManager.default.fileExists(
            atPath: self.file(copy.name, suffix: Self.marker).path
        )
        self.state.withLock {
            $0.known[copy.name] = Known(
                copy: copy,
                isShared: isShared,
                mayHaveRow: true,
                isSent: true,
                wasElsewhere: true
            )
        }
    }

    /// A copy that an earlier run left, and whose message's outcome is unknown.
    func foundUnknown(_ name: String) {
        self.state.withLock { _ = $0.unknown.insert(name) }
    }

    /// A copy that an earlier run filed; its row may be left.
    func foundFiled(_ name: String) {
        self.state.withLock { $0.removals[name] = .filedElsewhere }
    }

    /// An attempt to file a copy begins.
    /// - Parameters:
    ///   - generation: the fetch that wrote the file (``Known/generation``).
    ///   - answer: called on the event loop.
    func begin(
        _ name: String,
        generation: Int = 0,
        on loop: any EventLoop,
        answer: @escaping @Sendable (Verdict) -> Void
    ) {
        self.writer.submit { [self] in
            guard let known = self.known(name), known.generation == generation else {
                return loop.execute { answer(.gone) }
            }
            var verdict = known.isShared ? self.confirm(name) : .file
            if case .file = verdict, known.isDoubtful { verdict = .fileAgain }
            switch verdict {
            case .file, .fileAgain:
                self.change(name) { known in
                    known.isFiling = true
                    known.isDoubtful = false
                }
            case .lost, .later, .gone: break
            }
            loop.execute { [verdict] in answer(verdict) }
        }
    }

    /// The server has the whole message except for the line end with which it stores it.
    /// - Parameter answer: receives on the event loop whether the line end may be sent. A node that
    ///   was paused meanwhile gets false: another one may be filing the copy.
    func confirm(
        _ name: String,
        on loop: any EventLoop,
        answer: @escaping @Sendable (Bool) -> Void
    ) {
        self.writer.submit { [self] in
            guard let known = self.known(name), known.isShared else {
                return loop.execute { answer(true) }
            }
            guard !known.isDoubtful else { return loop.execute { answer(false) } }
            // Not before: the time in the queue does not count, because the question is not sent.
            let begin = ContinuousClock.now
            let verdict = self.confirm(name)
            loop.execute {
                guard case .file = verdict else { return answer(false) }
                answer(.now - begin < NodeLeases.validity)
            }
        }
    }

    /// An attempt to file a copy failed.
    func ended(_ name: String) { self.change(name) { $0.isFiling = false } }

    /// A copy was filed here, or its account was removed.
    /// - Parameter done: called on the background thread.
    func finished(_ name: String, file: URL, done: @escaping @Sendable () -> Void) {
        self.writer.submit { [self] in
            // The row may stay for a while: the next start must not file the copy again.
            try? FileManager.default.moveItem(at: file, to: self.file(name, suffix: Self.filed))
            try? SentCopy.syncFolder(self.folder)
            let wasElsewhere = self.known(name)?.wasElsewhere ?? true
            self.remove(name, because: wasElsewhere ? .filedElsewhere : .filed)
            done()
        }
    }

    /// Another node files a copy, or did.
    /// - Parameter done: called on the background thread.
    func lost(_ name: String, file: URL, done: @escaping @Sendable () -> Void) {
        self.writer.submit { [self] in
            self.forget(name, file: file)
            done()
        }
    }

    /// Removes the files of a copy that another node has.
    func forget(_ name: String, file: URL) {
        self.state.withLock { $0.known[name] = nil }
        try? FileManager.default.removeItem(at: file)
        try? FileManager.default.removeItem(at: self.file(name, suffix: Self.marker))
    }

    /// Deletes the row of a copy, or marks it as filed, and then deletes its files.
    func remove(_ name: String, because removal: Removal) {
        let mayHaveRow = self.known(name)?.mayHaveRow ?? true
        self.state.withLock { state in
            state.known[name] = nil
            if mayHaveRow { state.removals[name] = removal }
        }
        guard !mayHaveRow || self.isAvailable else { return }
        do {
            if mayHaveRow {
                switch removal {
                case .dropped: try self.store.removeSentCopy(name)
                case .filed: try self.store.removeSentCopy(name, isFiled: true)
                case .filedElsewhere: try self.store.setFiledSentCopy(name)
                }
            }
            try? FileManager.default.removeItem(at: self.file(name, suffix: Self.filed))
            try? FileManager.default.removeItem(at: self.file(name, suffix: Self.marker))
            self.state.withLock { $0.removals[name] = nil }
        } catch {
            self.failed("remove", of: name, error: error)
        }
    }
}
