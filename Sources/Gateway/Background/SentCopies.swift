import Access
import Foundation
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
/// background thread writes the files, in order. The name of a complete file says where it belongs.
package final class SentCopies: Sendable {
    /// The suffix of a complete copy: `ACCOUNT.UUID.eml`.
    static let complete = "eml"
    /// The suffix of a copy whose message is in transit.
    static let partial = "part"
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
    static let waitingTime: TimeInterval = 60

    /// A complete copy in the folder.
    struct Waiting: Sendable {
        let file: URL
        let account: AccountID
        let octets: UInt64
        /// Nil if no other copy may replace this one.
        let messageID: ByteBuffer?
    }

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
    /// Copies that the gateway has filed and still checks.
    let filed = Mutex<[AccountID: Set<FiledCopy>]>([:])
    /// The thread that reads and writes the files.
    let writer: BackgroundWriter
    /// Logs failures of servers at a limited rate.
    let log: ServerLog
    let logger: Logger

    /// - Parameters:
    ///   - store: the path of the store; the folder is beside it.
    ///   - writer: a thread without other work.
    init(store: String, writer: BackgroundWriter, log: ServerLog, logger: Logger) {
        self.writer = writer
        self.folder = Self.folder(store: store)
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

    /// Files what an earlier run left. Removes incomplete copies: no client was told that their
    /// messages went out. Blocks.
    func start(_ upstream: UpstreamServices, on group: any EventLoopGroup) {
        self.upstream.withLock { $0 = upstream }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? []
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
                let loop = group.next()
                loop.scheduleTask(in: Self.pause * earlier) { [self] in
                    self.file(copy, on: loop, attempt: 0)
                }
            }
        }
        if incomplete > 0 {
            self.logger.warning(
                "the gateway stopped while messages were in transit: their copies are dropped",
                metadata: ["messages": "\(incomplete)"]
            )
        }
    }

    /// - Returns: nil for a file that is not a complete copy.
    static func waiting(_ file: URL) -> Waiting? {
        let name = file.lastPathComponent
        guard file.pathExtension == Self.complete,
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

    /// The copy of a message whose transfer begins.
    func begin(on loop: any EventLoop) -> SentCopy {
        let name = "\(UUID().uuidString).\(Self.partial)"
        return SentCopy(self.folder.appendingPathComponent(name), writer: self.writer, loop: loop)
    }

    /// The message went out: completes its copy and files it.
    /// - Parameters:
    ///   - own: the accounts that belong to the sender.
    ///   - kept: called on the copy's event loop once a restarted gateway would file the copy, or
    ///     when the copy cannot be kept.
    func file(
        _ copy: SentCopy,
        for accounts: [AccountID],
        own: Set<AccountID>,
        messageID: ByteBuffer?,
        kept: @escaping @Sendable () -> Void
    ) {
        let loop = copy.loop
        let copies = accounts.map { account in
            let mark = own.contains(account) ? ".\(Self.own)" : ""
            let name = "\(account.rawValue).\(UUID().uuidString)\(mark).\(Self.complete)"
            return Waiting(
                file: self.folder.appendingPathComponent(name),
                account: account,
                octets: copy.octets,
                messageID: own.contains(account) ? messageID : nil
            )
        }
        copy.complete(as: copies.map(\.file)) { [self] names in
            kept()
            for waiting in copies {
                if names.contains(waiting.file) {
                    self.file(waiting, on: loop, attempt: 0)
                } else {
                    self.space.end(waiting.account, octets: waiting.octets)
                    self.logger.error("cannot store a sent copy; it will not be filed")
                }
            }
        }
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
        var file: URL?
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
            let filing = SentFiling(
                task.purpose,
                messageID: task.messageID,
                creatable: access.partsWhereOthersCreate(in: account),
                others: others
            )
            ConversationConnection.run(
                filing,
                sending: task.file.map { OutgoingMessage(file: $0, writer: self.writer) },
                at: ConversationServer(account: target, upstream: upstream),
                on: loop
            ) { outcome in
                done(outcome, target)
                self.turnEnded(account)
            }
        }
    }
}
