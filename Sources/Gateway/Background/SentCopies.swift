import Access
import Foundation
import Logging
import NIOCore
import SMTP
import Session
import Store
import Synchronization

/// Copies of sent messages on their way into Sent folders.
///
/// A copy is a file in a folder beside the store while its message goes out, and until it is filed;
/// so nothing is lost when the gateway stops, and `doctor` sees what waits. Files are written on
/// one thread, in order; the name of a complete one tells where it belongs.
package final class SentCopies: Sendable {
    /// What a message is filed with: `ACCOUNT-ACCOUNT`, then an identifier.
    static let complete = "eml"
    static let partial = "part"
    /// What the name of a copy has in it that goes into an account of the sender's own. Only there the same
    /// message may stand for it, which the sender's own program files.
    static let own = "own"
    /// When a copy that could not be filed is tried again; after the last of them, as often as that.
    static let retries: [TimeAmount] = [.seconds(30), .minutes(5), .minutes(60)]
    /// When it is looked whether the sender's own program filed one too.
    static let checks: [TimeAmount] = [.seconds(20), .minutes(2), .minutes(10)]

    /// Between the copies that an earlier run left for one account: its server takes few connections.
    static let pause = TimeAmount.milliseconds(250)

    /// A copy that is older should have been filed.
    static let waitingTime: TimeInterval = 60

    /// A copy in the folder.
    struct Waiting: Sendable {
        let file: URL
        let account: AccountID
        let octets: UInt64
        /// Nil where nothing may stand for it.
        let messageID: ByteBuffer?
    }

    /// What runs, or waits, for an account: one conversation at a time, so that of two that file the
    /// same message each knows of the other's copy.
    typealias Turn = @Sendable () -> Void

    /// What waiting copies take.
    let space = SentCopySpace()
    let folder: URL
    let upstream: Mutex<UpstreamServices?>
    let turns = Mutex<[AccountID: [Turn]]>([:])
    /// What the gateway has filed and still looks after.
    let filed = Mutex<[AccountID: Set<FiledCopy>]>([:])
    let writer: BackgroundWriter
    let log: ServerLog
    let logger: Logger

    /// - Parameters:
    ///   - store: the path of the store, beside which the folder is made.
    ///   - writer: has no other work.
    init(store: String, writer: BackgroundWriter, log: ServerLog, logger: Logger) {
        self.writer = writer
        self.folder = Self.folder(store: store)
        self.log = log
        self.logger = logger
        self.upstream = Mutex(nil)
    }

    /// Where copies wait.
    static func folder(store: String) -> URL {
        URL(fileURLWithPath: store).deletingLastPathComponent().appendingPathComponent("sent")
    }

    /// Files that wait for longer than a filing takes.
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

    /// Files what an earlier run left, and throws away what it did not complete: of those messages no client was
    /// told that they went out. Blocks.
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
                "the gateway ended while messages were being sent: their copies are not filed",
                metadata: ["messages": "\(incomplete)"]
            )
        }
    }

    /// - Returns: nil for a file that is no complete copy.
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

    /// The Message-ID of a message in a file.
    static func messageID(of file: URL) -> ByteBuffer? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        let head = (try? handle.read(upToCount: Header.maximumOctets)) ?? Data()
        var collector = HeaderCollector()
        guard let found = try? collector.receive(ByteBuffer(bytes: head)) else { return nil }
        return (try? Header(found.header))?.messageID.map { ByteBuffer(bytes: $0) }
    }

    /// Files nothing more.
    func stop() {
        self.upstream.withLock { $0 = nil }
    }

    /// A copy of the message that a client is sending now.
    func begin(on loop: any EventLoop) -> SentCopy {
        let name = "\(UUID().uuidString).\(Self.partial)"
        return SentCopy(self.folder.appendingPathComponent(name), writer: self.writer, loop: loop)
    }

    /// The message went out: its copy is filed.
    /// - Parameter kept: called on the copy's loop when a gateway that is started anew would file the copy, and when
    ///   it cannot be kept.
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
                    self.logger.error("a sent copy could not be kept")
                }
            }
        }
    }

    // MARK: - One at a time

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

    /// What is done in the Sent folder of an account.
    struct Errand: Sendable {
        var purpose: SentFiling.Purpose
        var account: AccountID
        var messageID: ByteBuffer?
        /// The message that is filed.
        var file: URL?
    }

    func converse(
        _ errand: Errand,
        on loop: any EventLoop,
        done: @escaping @Sendable (SentFiling.Outcome?, UpstreamAccount?) -> Void
    ) {
        let account = errand.account
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
            if case .tidy(let copy) = errand.purpose { others.remove(copy) }
            let filing = SentFiling(
                errand.purpose,
                messageID: errand.messageID,
                creatable: access.partsWhereOthersCreate(in: account),
                others: others
            )
            ConversationConnection.run(
                filing,
                sending: errand.file.map { OutgoingMessage(file: $0, writer: self.writer) },
                at: ConversationServer(account: target, upstream: upstream),
                on: loop
            ) { outcome in
                done(outcome, target)
                self.turnEnded(account)
            }
        }
    }
}
