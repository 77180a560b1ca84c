package import Access
import Foundation
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// A sent message whose copy is not in Sent, for `doctor` and the log.
package struct MissingSentCopy: Codable, Equatable, Sendable {
    /// The account whose Sent folder lacks the copy.
    package var account: String
    /// The message's Message-ID; nil if it has none.
    package var messageID: String?

    package init(account: String, messageID: String?) {
        self.account = account
        self.messageID = messageID
    }

    /// `<a@b.example> of bob@kanzlei.example`
    package var text: String {
        "\(self.messageID ?? "a message without Message-ID") of \(self.account)"
    }
}

/// Copies of messages in transit: from the first octet to the server's answer.
extension SentCopies {
    /// Missing copies that `doctor` names; the log names all.
    private static let maximumMissing = 100

    /// The copy of a message whose transfer begins.
    func begin(on loop: any EventLoop) -> SentCopy {
        let name = "\(UUID().uuidString).\(Self.partial)"
        return SentCopy(self.folder.appendingPathComponent(name), writer: self.writer, loop: loop)
    }

    /// The message is complete, and its end goes to the server next: writes the copy to the disk
    /// under names that say where it belongs.
    /// - Parameters:
    ///   - own: the accounts that belong to the sender.
    ///   - done: receives on the copy's event loop where the copy is.
    func keep(
        _ copy: SentCopy,
        for accounts: [AccountID],
        own: Set<AccountID>,
        messageID: ByteBuffer?,
        done: @escaping @Sendable (SentCopy.Place) -> Void
    ) {
        copy.messageID = messageID
        copy.waiting = accounts.map { account in
            let mark = own.contains(account) ? ".\(Self.own)" : ""
            let name = "\(account.rawValue).\(UUID().uuidString)\(mark).\(Self.complete)"
            return Waiting(
                file: self.folder.appendingPathComponent(name),
                account: account,
                octets: copy.octets,
                messageID: own.contains(account) ? messageID : nil
            )
        }
        let names = copy.waiting.map {
            $0.file.deletingPathExtension().appendingPathExtension(Self.unsent)
        }
        let bound = NIOLoopBound(copy, eventLoop: copy.loop)
        copy.keep(as: names) { [self] isKept in
            guard isKept else { return done(.nowhere) }
            self.share(bound.value, done: done)
        }
    }

    /// The message went out: marks its copy as sent, and files it.
    /// - Parameter kept: called on the copy's event loop once a restarted gateway would file the
    ///   copy, or when the copy cannot be marked. If nodes share the store, another node would
    ///   file it then, too.
    func file(_ copy: SentCopy, kept: @escaping @Sendable () -> Void) {
        let (loop, copies, messageID) = (copy.loop, copy.waiting, copy.messageID)
        copy.complete(suffix: Self.complete) { [self] names in
            let complete = copies.filter { names.contains($0.file) }
            let begin: @Sendable () -> Void = {
                kept()
                for waiting in complete { self.file(waiting, on: loop, attempt: 0) }
            }
            for waiting in copies where !names.contains(waiting.file) {
                self.space.end(waiting.account, octets: waiting.octets)
                self.isMissing([waiting.account], messageID: messageID)
            }
            guard let sharing = self.sharing else { return begin() }
            sharing.sent(complete.map(\.name), on: loop, done: begin)
        }
    }

    /// A message went out without a copy: logs it, and remembers it for `doctor`.
    func isMissing(_ accounts: [AccountID], messageID: ByteBuffer?) {
        for account in accounts {
            let missing = self.missingCopy(account, messageID: messageID)
            self.logger.error(
                "a message was sent, but its copy for Sent could not be stored",
                metadata: Self.metadata(missing)
            )
            self.missing.withLock { all in
                if all.count == Self.maximumMissing { all.removeFirst() }
                all.append(missing)
            }
        }
    }

    private func missingCopy(_ account: AccountID, messageID: ByteBuffer?) -> MissingSentCopy {
        let access = self.upstream.withLock { $0?.permissions.current.access }
        return MissingSentCopy(
            account: access?.accounts[account]?.address.description
                ?? "account \(account.rawValue)",
            messageID: messageID.map { String(buffer: $0) }
        )
    }

    private static func metadata(_ missing: MissingSentCopy) -> Logger.Metadata {
        ["account": "\(missing.account)", "message-id": "\(missing.messageID ?? "none")"]
    }

    // MARK: - The next start

    /// Files what an earlier run left. Removes partial copies: no server has the end of their
    /// messages. Names the copies whose messages' outcome is unknown, and keeps them. Blocks.
    func start(_ upstream: UpstreamServices, on group: any EventLoopGroup) {
        self.upstream.withLock { $0 = upstream }
        self.sharing?.start(upstream.permissions)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? []
        self.startSharing(names)
        var waiting: [AccountID: Int] = [:]
        var incomplete = 0
        for name in names {
            let file = self.folder.appendingPathComponent(name)
            if file.pathExtension == Self.partial {
                try? FileManager.default.removeItem(at: file)
                incomplete += 1
            } else if let copy = Self.waiting(file) {
                self.space.found(copy.account, octets: copy.octets)
                let earlier = waiting[copy.account, default: 0]
                waiting[copy.account] = earlier + 1
                if let sharing = self.sharing {
                    let messageID = Self.messageID(of: copy.file)
                    sharing.found(self.stored(copy, messageID: messageID))
                }
                self.fileAgain(copy, earlier: earlier, on: group.next())
            } else if let copy = Self.waiting(file, suffix: Self.unsent) {
                self.becomesUnknown(copy)
            } else if let copy = Self.waiting(file, suffix: Self.unknown) {
                self.space.found(copy.account, octets: copy.octets)
            }
        }
        if incomplete > 0 {
            self.logger.warning(
                "the gateway stopped while messages were in transit: their copies are dropped",
                metadata: ["messages": "\(incomplete)"]
            )
        }
    }

    /// The gateway stopped before the server's answer was known: marks the copy.
    private func becomesUnknown(_ copy: Waiting) {
        self.space.found(copy.account, octets: copy.octets)
        let target = copy.file.deletingPathExtension().appendingPathExtension(Self.unknown)
        // If this fails, the next start tries again.
        try? FileManager.default.moveItem(at: copy.file, to: target)
        let missing = self.missingCopy(
            copy.account,
            messageID: Self.messageID(of: target) ?? Self.messageID(of: copy.file)
        )
        self.logger.error(
            "the gateway stopped before the server answered: its copy for Sent is not filed",
            metadata: Self.metadata(missing)
        )
    }

    /// The names, accounts and Message-IDs of the copies whose messages' outcome is unknown.
    /// Blocks.
    package static func unknown(
        store: String
    ) -> [(name: String, account: AccountID, messageID: String?)] {
        let folder = self.folder(store: store)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { name in
            let file = folder.appendingPathComponent(name)
            return self.waiting(file, suffix: self.unknown).map {
                ($0.name, $0.account, self.messageID(of: file).map { String(buffer: $0) })
            }
        }
    }
}
