import Access
import Foundation
import Logging
import NIOCore
import SMTP
import Session
import Store
import Synchronization

/// Filing.
extension SentCopies {
    func file(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        guard let upstream = self.upstream.withLock({ $0 }) else { return }
        guard upstream.permissions.current.endpoints[copy.account] != nil else {
            self.logger.warning("the copy of a sent message goes with its account, which is gone")
            return self.remove(copy)
        }
        self.writer.submit { [self] in
            let exists = FileManager.default.fileExists(atPath: copy.file.path)
            loop.execute {
                guard exists else {
                    self.logger.warning("the copy of a sent message was removed while it waited")
                    return self.space.end(copy.account, octets: copy.octets)
                }
                self.send(copy, on: loop, attempt: attempt)
            }
        }
    }

    func send(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        self.converse(
            Errand(
                purpose: .file(octets: Int(clamping: copy.octets)),
                account: copy.account,
                messageID: copy.messageID,
                file: copy.file
            ),
            on: loop
        ) { outcome, target in
            self.filed(outcome, copy: copy, target: target, loop: loop, attempt: attempt)
        }
    }

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
            if let target {
                let trouble = ServerLog.Trouble(
                    "a sent copy could not be filed, and waits",
                    account: target,
                    at: target.imap,
                    error: "\(outcome.map { "\($0)" } ?? "the server cannot be used")"
                )
                self.log.log(trouble, on: loop)
            }
            let time = Self.retries[min(attempt, Self.retries.count - 1)]
            loop.scheduleTask(in: time) { [self] in
                self.file(copy, on: loop, attempt: attempt + 1)
            }
        }
    }

    func remove(_ copy: Waiting) {
        self.writer.submit { [self] in
            try? FileManager.default.removeItem(at: copy.file)
            // A name that comes back with a power loss would be filed a second time.
            try? SentCopy.syncFolder(self.folder)
            self.space.end(copy.account, octets: copy.octets)
        }
    }

    /// Many mail programs file a copy themselves, a moment later: then this one goes.
    func checkLater(
        _ copy: FiledCopy,
        account: AccountID,
        messageID: ByteBuffer,
        loop: any EventLoop,
        check: Int
    ) {
        guard check < Self.checks.count else { return self.lookNoMore(after: copy, account) }
        loop.scheduleTask(in: Self.checks[check]) { [self] in
            guard self.upstream.withLock({ $0 }) != nil else { return }
            let errand = Errand(purpose: .tidy(copy), account: account, messageID: messageID)
            self.converse(errand, on: loop) { outcome, _ in
                if outcome == .removed { return self.lookNoMore(after: copy, account) }
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

    func lookNoMore(after copy: FiledCopy, _ account: AccountID) {
        self.filed.withLock { filed in
            filed[account]?.remove(copy)
            if filed[account]?.isEmpty ?? false { filed[account] = nil }
        }
    }
}
