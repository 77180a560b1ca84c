import Access
package import Foundation
import Logging
import NIOCore
import SMTP
import Session
import Store
import Synchronization

/// Files copies of sent messages into Sent folders.
///
/// While its message is in transit, and until it is filed, a copy is a file in a folder beside the
/// store. So no copy is lost when the gateway stops, and `doctor` sees waiting copies. One
/// background thread writes the files, in order. The name of a complete file says where it belongs,
/// and its suffix what is known of its message: ``unsent`` until the server has answered, then
/// ``complete``.
package final class SentCopies: Sendable {
    /// The suffix of a complete copy: `ACCOUNT.UUID.eml`.
    static let complete = "eml"
    /// The suffix of a copy whose message has not arrived completely. Its server has no end of it.
    static let partial = SentCopy.partial
    /// The suffix of a complete copy whose server has not answered yet.
    static let unsent = "unsent"
    /// The suffix of a copy whose gateway stopped before it knew the server's answer. It is not
    /// filed: Sent would show a message that perhaps never went out. An administrator renames or
    /// removes it.
    static let unknown = "unknown"
    /// Part of the name of a copy for an account of the sender's own. Only there a copy that the
    /// sender's mail program files may replace it.
    static let own = "own"
    /// The times before the next attempts; the last one repeats.
    static let retries: [TimeAmount] = [.seconds(30), .minutes(5), .minutes(60)]
    /// The times before the checks for a copy that the sender's mail program filed.
    static let checks: [TimeAmount] = [.seconds(20), .minutes(2), .minutes(10)]

    /// The time between the copies that an earlier run left for one account, because its server
    /// accepts few connections.
    static let pause = TimeAmount.milliseconds(250)

    /// Seconds after which a copy should have been filed.
    package static let waitingTime: TimeInterval = 60

    typealias Waiting = WaitingSentCopy

    /// Work for an account. One conversation runs at a time, so that of two that file the same
    /// message each knows the other's copy.
    typealias Turn = @Sendable () -> Void

    /// The size of the waiting copies, by account.
    let space = SentCopySpace()
    /// The folder of the copies.
    let folder: URL
    /// Nil before ``start(_:on:)`` and after ``stop()``.
    let upstream: Mutex<UpstreamServices?>
    /// The waiting work of accounts whose work runs.
    let turns = Mutex<[AccountID: [Turn]]>([:])
    /// The attempts to file copies that are due later.
    let attempts = SentCopyAttempts()
    /// Copies that the gateway has filed and still checks.
    let filed = Mutex<[AccountID: Set<FiledCopy>]>([:])
    /// The newest messages that went out without a copy in this run.
    let missing = Mutex<[MissingSentCopy]>([])
    /// The thread that reads and writes the files.
    let writer: BackgroundWriter
    /// Keeps the copies in the store as well; nil if no other node uses the store.
    let sharing: SentCopySharing?
    /// The time in which a server has stored what it received, even if its connection is lost.
    let settleTime: TimeAmount
    /// Logs failures of servers at a limited rate.
    let log: ServerLog
    let logger: Logger

    /// - Parameters:
    ///   - store: the folder is beside it.
    ///   - settleTime: the time in which a server has stored what it received.
    ///   - writer: a thread without other work.
    init(
        store: PermissionStore,
        settleTime: TimeAmount,
        writer: BackgroundWriter,
        log: ServerLog,
        logger: Logger
    ) {
        self.writer = writer
        let folder = Self.folder(store: store.path)
        self.folder = folder
        self.settleTime = settleTime
        self.sharing =
            store.isShared ? SentCopySharing(store: store, folder: folder, logger: logger) : nil
        self.log = log
        self.logger = logger
        self.upstream = Mutex(nil)
    }

    /// The folder of the copies.
    static func folder(store: String) -> URL {
        URL(fileURLWithPath: store).deletingLastPathComponent().appendingPathComponent("sent")
    }

    /// The paths of copies that wait for longer than ``waitingTime``. Blocks.
    package static func waiting(store: String) -> [String] {
        let folder = self.folder(store: store)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.map { folder.appendingPathComponent($0).path }.filter { path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let changed = attributes?[.modificationDate] as? Date
            return path.hasSuffix(".\(self.complete)")
                && (changed.map { -$0.timeIntervalSinceNow > self.waitingTime } ?? false)
        }.sorted()
    }

    /// - Returns: nil for a file that is not a complete copy.
    static func waiting(_ file: URL, suffix: String = SentCopies.complete) -> Waiting? {
        let name = file.lastPathComponent
        guard file.pathExtension == suffix,
            let account = name.split(separator: ".").first.flatMap({ Int64($0) })
        else { return nil }
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        let isOwn = name.contains(".\(Self.own).")
        return Waiting(
            file: file,
            account: AccountID(account),
            octets: (attributes?[.size] as? NSNumber)?.uint64Value ?? 0,
            messageID: isOwn ? Self.messageID(of: file) : nil
        )
    }

    /// The Message-ID of the message in a file; nil without one. Blocks.
    static func messageID(of file: URL) -> ByteBuffer? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        let head = (try? handle.read(upToCount: Header.maximumOctets)) ?? Data()
        var collector = HeaderCollector()
        guard let found = try? collector.receive(ByteBuffer(bytes: head)) else { return nil }
        return (try? Header(found.header))?.messageID.map { ByteBuffer(bytes: $0) }
    }

    /// Starts no further filing.
    func stop() {
        self.upstream.withLock { $0 = nil }
    }

    // MARK: - One at a time

    /// Runs work for an account once its earlier work has ended.
    func enqueue(_ account: AccountID, turn: @escaping Turn) {
        let isFirst = self.turns.withLock { turns in
            guard turns[account] == nil else {
                turns[account]?.append(turn)
                return false
            }
            turns[account] = []
            return true
        }
        if isFirst { turn() }
    }

    /// Starts the next work of an account.
    func turnEnded(_ account: AccountID) {
        let next = self.turns.withLock { turns -> Turn? in
            guard var waiting = turns[account], !waiting.isEmpty else {
                turns[account] = nil
                return nil
            }
            let next = waiting.removeFirst()
            turns[account] = waiting
            return next
        }
        next?()
    }

    /// A task in the Sent folder of an account.
    struct FilingTask: Sendable {
        var purpose: SentFiling.Purpose
        var account: AccountID
        var messageID: ByteBuffer?
        /// The message to file.
        var message: OutgoingMessage?
        /// Whether the folder may have the message already.
        var isRepeated = false
    }

    /// Performs a task in a conversation with the account's server.
    /// - Parameter done: receives nil if the server cannot be used or the account is gone.
    func converse(
        _ task: FilingTask,
        on loop: any EventLoop,
        done: @escaping @Sendable (SentFiling.Outcome?, UpstreamAccount?) -> Void
    ) {
        let account = task.account
        self.enqueue(account) { [self] in
            guard let upstream = self.upstream.withLock({ $0 }),
                let target = upstream.permissions.current.endpoints[account]
            else {
                done(nil, nil)
                // Not at once: a thousand copies may wait, and each would call the next.
                return loop.execute { self.turnEnded(account) }
            }
            let access = upstream.permissions.current.access
            var others = self.filed.withLock { $0[account] ?? [] }
            if case .tidy(let copy) = task.purpose { others.remove(copy) }
            // One of the gateway's own may be the same message.
            if task.isRepeated { others = [] }
            let filing = SentFiling(
                task.purpose,
                messageID: task.messageID,
                creatable: access.partsWhereOthersCreate(in: account),
                others: others,
                isRepeated: task.isRepeated
            )
            ConversationConnection.run(
                filing,
                sending: task.message,
                at: ConversationServer(account: target, upstream: upstream),
                on: loop
            ) { outcome in
                done(outcome, target)
                self.turnEnded(account)
            }
        }
    }
}
