import Access
import Foundation
import Logging
import NIOCore
import SMTP
import Session
import Store
import Synchronization

/// Filing of copies into Sent folders.
extension SentCopies {
    /// Files a waiting copy if its account and its file still exist.
    /// - Parameter attempt: how many attempts have failed before.
    func file(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        guard let upstream = self.upstream.withLock({ $0 }) else { return }
        guard upstream.permissions.current.endpoints[copy.account] != nil else {
            self.logger.warning("a sent copy was dropped, because its account was removed")
            return self.remove(copy)
        }
        self.writer.submit { [self] in
            let exists = FileManager.default.fileExists(atPath: copy.file.path)
            loop.execute {
                guard exists else {
                    self.logger.warning("the file of a sent copy was removed while it waited")
                    self.sharing?.drop([copy.name], generation: copy.generation)
                    return self.space.end(copy.account, octets: copy.octets)
                }
                self.beginShared(copy, on: loop, attempt: attempt)
            }
        }
    }

    /// Files a copy in a conversation with the account's server.
    func send(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        let isDenied = Atomic(false)
        self.converse(
            FilingTask(
                purpose: .file(octets: Int(clamping: copy.octets)),
                account: copy.account,
                messageID: copy.messageID ?? copy.searchID,
                message: self.outgoing(copy, on: loop) {
                    isDenied.store(true, ordering: .relaxed)
                },
                isRepeated: copy.isRepeated
            ),
            on: loop
        ) { outcome, target in
            if outcome == nil, isDenied.load(ordering: .relaxed) {
                return self.denied(copy, target: target, loop: loop, attempt: attempt)
            }
            self.filed(outcome, copy: copy, target: target, loop: loop, attempt: attempt)
        }
    }

    /// The result of an attempt. After a failure the next attempt is scheduled.
    func filed(
        _ outcome: SentFiling.Outcome?,
        copy: Waiting,
        target: UpstreamAccount?,
        loop: any EventLoop,
        attempt: Int
    ) {
        switch outcome {
        case .filed(let filed):
            self.remove(copy)
            guard let filed, let messageID = copy.messageID else { return }
            self.filed.withLock { _ = $0[copy.account, default: []].insert(filed) }
            self.checkLater(
                filed,
                account: copy.account,
                messageID: messageID,
                loop: loop,
                check: 0
            )
        case .removed, .kept:
            self.remove(copy)
        case .noSentFolder, .refused, .none:
            let error = outcome.map { "\($0)" } ?? "the server cannot be used"
            self.failed(error, at: target, on: loop)
            self.sharing?.ended(copy.name)
            self.retry(copy, on: loop, attempt: attempt, error: error)
        }
    }

    /// The database did not permit the end of an APPEND.
    func denied(
        _ copy: Waiting,
        target: UpstreamAccount?,
        loop: any EventLoop,
        attempt: Int
    ) {
        self.failed("the database does not permit it now", at: target, on: loop)
        self.sharing?.ended(copy.name)
        self.retrySoon(copy, on: loop, attempt: attempt)
    }

    private func failed(_ error: String, at target: UpstreamAccount?, on loop: any EventLoop) {
        guard let target else { return }
        let failure = ServerLog.Failure(
            "cannot file a sent copy; the gateway tries again",
            account: target,
            at: target.imap,
            error: error
        )
        self.log.log(failure, on: loop)
    }

    /// Schedules the next attempt.
    func retry(_ copy: Waiting, on loop: any EventLoop, attempt: Int, error: String) {
        let time = Self.retries[min(attempt, Self.retries.count - 1)]
        self.schedule(copy, in: time, on: loop, attempt: attempt + 1, error: error)
    }

    /// Schedules the next attempt after the database could not be used. It says nothing about the
    /// mail server, so the time does not grow.
    func retrySoon(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        self.schedule(
            copy,
            in: Self.retries[0],
            on: loop,
            attempt: attempt,
            error: "the database could not be used"
        )
    }

    /// Removes the file of a copy, on the background thread.
    func remove(_ copy: Waiting) {
        if let sharing = self.sharing {
            return sharing.finished(copy.name, file: copy.file) { [self] in
                self.space.end(copy.account, octets: copy.octets)
            }
        }
        self.writer.submit { [self] in
            try? FileManager.default.removeItem(at: copy.file)
            // A power loss could bring an unsynced name back, and the copy would be filed twice.
            try? SentCopy.syncFolder(self.folder)
            self.space.end(copy.account, octets: copy.octets)
        }
    }

    /// Checks whether the sender's mail program has filed a copy of its own, which many do a moment
    /// later. Then the gateway's copy is removed.
    /// - Parameter check: how many checks were made before.
    func checkLater(
        _ copy: FiledCopy,
        account: AccountID,
        messageID: ByteBuffer,
        loop: any EventLoop,
        check: Int
    ) {
        guard check < Self.checks.count else {
            return self.stopChecking(after: copy, account: account)
        }
        loop.scheduleTask(in: Self.checks[check]) { [self] in
            guard self.upstream.withLock({ $0 }) != nil else { return }
            let task = FilingTask(purpose: .tidy(copy), account: account, messageID: messageID)
            self.converse(task, on: loop) { outcome, _ in
                if outcome == .removed { return self.stopChecking(after: copy, account: account) }
                self.checkLater(
                    copy,
                    account: account,
                    messageID: messageID,
                    loop: loop,
                    check: check + 1
                )
            }
        }
    }

    /// The gateway's copy stays, or was removed: no further check.
    func stopChecking(after copy: FiledCopy, account: AccountID) {
        self.filed.withLock { filed in
            filed[account]?.remove(copy)
            if filed[account]?.isEmpty ?? false { filed[account] = nil }
        }
    }
}
