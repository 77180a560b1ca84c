import Access
import Foundation
import NIOCore
import Session
package import Store

/// A copy of a sent message in the folder of this node, for `gatepost sent`.
package struct SpooledSentCopy: Equatable, Sendable {
    /// The name of its file, without suffix.
    package var name: String
    /// The key of the account whose Sent folder gets it.
    package var account: Int64
    /// The size of the message.
    package var octets: UInt64
    /// When the message went out, in seconds since 1970.
    package var since: Int64
    /// Whether its gateway stopped before it knew whether the message went out.
    package var isUnknown: Bool
    /// The message's Message-ID; nil without one.
    package var messageID: String?
}

/// What administrators do with waiting copies.
extension SentCopies {
    /// Octets of an error that a command shows. It may have words of a mail server.
    private static let maximumErrorLength = 200

    /// Schedules an attempt to file a copy.
    /// - Parameter error: why the attempt before it failed; nil for the first one.
    func schedule(
        _ copy: Waiting,
        in time: TimeAmount,
        on loop: any EventLoop,
        attempt: Int,
        error: String? = nil
    ) {
        let next = SentCopyAttempts.Attempt(
            copy: copy,
            loop: loop,
            attempt: attempt,
            due: .now() + time,
            error: error.map { String($0.prefix(Self.maximumErrorLength)) }
        )
        self.attempts.schedule(next, in: time) { [self] in
            self.file($0.copy, on: $0.loop, attempt: $0.attempt)
        }
    }

    /// Answers an administrator's request. Blocks for the disk.
    func answer(_ request: SentCopyRequest) -> SentCopyAnswer {
        var answer = SentCopyAnswer()
        switch request.action {
        case .list: break
        case .retry: answer.changed = self.retryNow(request.name)
        case .drop: answer.changed = request.name.flatMap(self.dropWaiting).map { [$0] } ?? []
        }
        let now = NIODeadline.now()
        answer.attempts = self.attempts.all.map { attempt in
            SentCopyAnswer.Attempt(
                name: attempt.copy.name,
                seconds: max(0, (attempt.due - now).nanoseconds / 1_000_000_000),
                error: attempt.error
            )
        }
        return answer
    }

    /// Begins the attempts to file copies that are due later: those of one copy, or all.
    /// - Returns: the names of their copies.
    private func retryNow(_ name: String?) -> [String] {
        var earlier: [AccountID: Int] = [:]
        return self.attempts.take(name).map { attempt in
            let count = earlier[attempt.copy.account, default: 0]
            earlier[attempt.copy.account] = count + 1
            self.schedule(
                attempt.copy,
                in: Self.pause * count,
                on: attempt.loop,
                attempt: 0,
                error: attempt.error
            )
            return attempt.copy.name
        }
    }

    /// Drops a copy that waits, or one whose message's outcome is unknown.
    /// - Returns: its name; nil if it is being filed at this moment, or if there is none.
    private func dropWaiting(_ name: String) -> String? {
        let attempts = self.attempts.take(name)
        if let last = attempts.last {
            for attempt in attempts.dropLast() {
                self.space.end(attempt.copy.account, octets: attempt.copy.octets)
            }
            // As if it had been filed: no other node files it after that.
            self.remove(last.copy)
            return name
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? []
        let file = "\(name).\(Self.unknown)"
        guard names.contains(file),
            let copy = Self.waiting(
                self.folder.appendingPathComponent(file),
                suffix: Self.unknown
            )
        else { return nil }
        self.remove(copy)
        return name
    }

    // MARK: - Without a gateway

    /// The copies in the folder of this node whose message went out or perhaps went out, oldest
    /// first. Files whose names the gateway does not give are left out. Blocks.
    package static func spooled(store: String) -> [SpooledSentCopy] {
        let folder = self.folder(store: store)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name -> SpooledSentCopy? in
            let file = folder.appendingPathComponent(name)
            let isUnknown = file.pathExtension == self.unknown
            guard let copy = self.waiting(file, suffix: isUnknown ? self.unknown : self.complete),
                self.isOwnName(copy.name)
            else { return nil }
            let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
            let changed = attributes?[.modificationDate] as? Date ?? .now
            return SpooledSentCopy(
                name: copy.name,
                account: copy.account.rawValue,
                octets: copy.octets,
                since: Int64(changed.timeIntervalSince1970),
                isUnknown: isUnknown,
                messageID: self.messageID(of: file).map { String(buffer: $0) }
            )
        }.sorted { ($0.since, $0.name) < ($1.since, $1.name) }
    }

    /// Removes the files of a copy while no gateway runs, and takes care that no other node files
    /// it. Blocks.
    /// - Throws: `StoreError`, or an error of Foundation.
    package static func drop(_ copy: SpooledSentCopy, store: PermissionStore) throws {
        let file = self.folder(store: store.path).appendingPathComponent(copy.name)
        // The row first: if this fails, the file is still listed.
        if store.isShared { try store.setFiledSentCopy(copy.name) }
        let suffix = copy.isUnknown ? self.unknown : self.complete
        try FileManager.default.removeItem(at: file.appendingPathExtension(suffix))
        try? FileManager.default.removeItem(
            at: file.appendingPathExtension(SentCopySharing.marker)
        )
        try SentCopy.syncFolder(file.deletingLastPathComponent())
    }

    /// Whether a name has only characters that the gateway uses: an administrator may paste it
    /// into a shell.
    private static func isOwnName(_ name: String) -> Bool {
        name.utf8.count <= 100
            && name.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
