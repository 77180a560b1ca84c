import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
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
    private static let complete = "eml"
    private static let partial = "part"
    /// What the name of a copy has in it that goes into an account of the sender's own. Only there another
    /// copy with the same Message-ID may stand for it: whoever sends chooses the Message-ID, and could keep
    /// the copy out of a colleague's Sent folder.
    private static let own = "own"
    /// When a copy that could not be filed is tried again.
    private static let retries: [TimeAmount] = [.seconds(30), .minutes(5), .minutes(60)]
    /// When it is looked whether the sender's own program filed one too.
    private static let checks: [TimeAmount] = [.seconds(20), .minutes(2), .minutes(10)]

    /// Between the copies that an earlier run left for one account: its server takes few connections.
    private static let pause = TimeAmount.milliseconds(250)

    /// A copy that is older should have been filed.
    private static let waitingTime: TimeInterval = 60

    private let folder: URL
    private let environment: Mutex<Environment?>
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let log: ServerLog
    private let logger: Logger

    /// - Parameter store: the path of the store, beside which the folder is made.
    init(store: String, log: ServerLog, logger: Logger) {
        self.folder = Self.folder(store: store)
        self.log = log
        self.logger = logger
        self.environment = Mutex(nil)
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

    /// Files what an earlier run left, and throws away what it did not complete.
    func start(_ environment: Environment, on group: any EventLoopGroup) {
        self.environment.withLock { $0 = environment }
        self.pool.start()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? []
        var waiting: [String: Int] = [:]
        for name in names {
            let file = self.folder.appendingPathComponent(name)
            if file.pathExtension == Self.partial {
                try? FileManager.default.removeItem(at: file)
            } else if file.pathExtension == Self.complete {
                let isOwn = file.lastPathComponent.contains(".\(Self.own).")
                let messageID = isOwn ? Self.messageID(of: file) : nil
                let account = String(name.prefix { $0 != "." })
                let earlier = waiting[account, default: 0]
                waiting[account] = earlier + 1
                let loop = group.next()
                loop.scheduleTask(in: Self.pause * earlier) { [self] in
                    self.file(file, messageID, on: loop, attempt: 0)
                }
            }
        }
    }

    /// The Message-ID of a message in a file.
    private static func messageID(of file: URL) -> ByteBuffer? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        let head = (try? handle.read(upToCount: Header.maximumOctets)) ?? Data()
        var collector = HeaderCollector()
        guard let found = try? collector.receive(ByteBuffer(bytes: head)) else { return nil }
        return (try? Header(found.header))?.messageID.map { ByteBuffer(bytes: $0) }
    }

    func stop() async throws {
        self.environment.withLock { $0 = nil }
        try await self.pool.shutdownGracefully()
    }

    /// A copy of the message that a client is sending now.
    func begin(on loop: any EventLoop) -> SentCopy {
        let name = "\(UUID().uuidString).\(Self.partial)"
        return SentCopy(self.folder.appendingPathComponent(name), self.pool, loop)
    }

    /// The message went out: its copy is filed.
    func file(
        _ copy: SentCopy,
        for accounts: [AccountID],
        own: Set<AccountID>,
        messageID: ByteBuffer?
    ) {
        let loop = copy.loop
        for (index, account) in accounts.enumerated() {
            let mark = own.contains(account) ? ".\(Self.own)" : ""
            let messageID = own.contains(account) ? messageID : nil
            let name = "\(account.rawValue).\(UUID().uuidString)\(mark).\(Self.complete)"
            let target = self.folder.appendingPathComponent(name)
            copy.complete(as: target, isLast: index == accounts.count - 1) { [self] succeeded in
                guard succeeded else {
                    return self.logger.error("a sent copy could not be kept", metadata: [:])
                }
                self.file(target, messageID, on: loop, attempt: 0)
            }
        }
    }

    // MARK: - Filing

    private func file(
        _ file: URL,
        _ messageID: ByteBuffer?,
        on loop: any EventLoop,
        attempt: Int
    ) {
        guard let environment = self.environment.withLock({ $0 }),
            let account = file.lastPathComponent.split(separator: ".").first.flatMap({ Int64($0) })
        else { return }
        guard let target = environment.permissions.current.endpoints[AccountID(account)] else {
            self.logger.warning("the copy of a sent message goes with its account, which is gone")
            try? FileManager.default.removeItem(at: file)
            return
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        let octets = (attributes?[.size] as? NSNumber)?.intValue
        guard let octets else {
            return self.filed(nil, file, messageID, target, loop, attempt)
        }
        ConversationConnection.run(
            SentFiling(.file(octets: octets), messageID: messageID),
            sending: file,
            target,
            environment,
            self.pool,
            on: loop
        ) { result in
            self.filed(result, file, messageID, target, loop, attempt)
        }
    }

    private func filed(
        _ outcome: SentFiling.Outcome?,
        _ file: URL,
        _ messageID: ByteBuffer?,
        _ target: UpstreamAccount,
        _ loop: any EventLoop,
        _ attempt: Int
    ) {
        switch outcome {
        case .filed(let uid):
            try? FileManager.default.removeItem(at: file)
            guard let uid, let messageID else { return }
            self.checkLater(uid, messageID, target, loop, check: 0)
        case .wasThere, .tidied:
            try? FileManager.default.removeItem(at: file)
        case .noSentFolder, .refused, .none:
            self.log.log(
                "a sent copy could not be filed, and waits",
                target,
                at: target.imap,
                error: "\(outcome.map { "\($0)" } ?? "the server cannot be used")",
                on: loop
            )
            guard attempt < Self.retries.count else { return }
            loop.scheduleTask(in: Self.retries[attempt]) { [self] in
                self.file(file, messageID, on: loop, attempt: attempt + 1)
            }
        }
    }

    /// Many mail programs file a copy themselves, a moment later: then this one goes.
    private func checkLater(
        _ uid: UInt32,
        _ messageID: ByteBuffer,
        _ target: UpstreamAccount,
        _ loop: any EventLoop,
        check: Int
    ) {
        guard check < Self.checks.count else { return }
        loop.scheduleTask(in: Self.checks[check]) { [self] in
            guard let environment = self.environment.withLock({ $0 }) else { return }
            ConversationConnection.run(
                SentFiling(.tidy(uid: uid), messageID: messageID),
                target,
                environment,
                self.pool,
                on: loop
            ) { _ in
                self.checkLater(uid, messageID, target, loop, check: check + 1)
            }
        }
    }
}

/// The copy of one message while it goes out. Used on its event loop only.
final class SentCopy {
    /// Octets that wait to be written; beyond it the client is not read.
    private static let maximumWaiting = 4 * 1_024 * 1_024

    let loop: any EventLoop
    private let file: URL
    private let pool: NIOThreadPool
    private let handle = HandleBox()
    private var waiting = 0
    /// Called when it takes octets again.
    var onDrained: (() -> Void)?

    init(_ file: URL, _ pool: NIOThreadPool, _ loop: any EventLoop) {
        self.file = file
        self.pool = pool
        self.loop = loop
    }

    var isWritable: Bool { self.waiting < Self.maximumWaiting }

    func append(_ octets: ByteBuffer) {
        let count = octets.readableBytes
        self.waiting += count
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let (file, handle, loop) = (self.file, self.handle, self.loop)
        self.pool.submit { _ in
            handle.write(octets, to: file)
            loop.execute { bound.value.written(count) }
        }
    }

    private func written(_ count: Int) {
        let wasWritable = self.isWritable
        self.waiting -= count
        if !wasWritable, self.isWritable { self.onDrained?() }
    }

    /// Everything is written: the file gets its name, or a second one.
    func complete(
        as target: URL,
        isLast: Bool,
        _ done: @escaping @Sendable (Bool) -> Void
    ) {
        let (file, handle, loop) = (self.file, self.handle, self.loop)
        self.pool.submit { _ in
            let succeeded = handle.complete(file, as: target, isLast: isLast)
            loop.execute { done(succeeded) }
        }
    }

    func drop() {
        let (file, handle) = (self.file, self.handle)
        self.pool.submit { _ in handle.drop(file) }
    }

    /// The open file, on the thread that writes.
    private final class HandleBox: Sendable {
        private let state = Mutex<(handle: FileHandle?, hasFailed: Bool)>((nil, false))

        func write(_ octets: ByteBuffer, to file: URL) {
            self.state.withLock { state in
                guard !state.hasFailed else { return }
                do {
                    if state.handle == nil { state.handle = try Self.open(file) }
                    try state.handle?.write(contentsOf: Data(octets.readableBytesView))
                } catch {
                    state.hasFailed = true
                }
            }
        }

        private static func open(_ file: URL) throws -> FileHandle {
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            guard
                FileManager.default.createFile(
                    atPath: file.path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            else { throw CocoaError(.fileWriteUnknown) }
            return try FileHandle(forWritingTo: file)
        }

        func complete(_ file: URL, as target: URL, isLast: Bool) -> Bool {
            self.state.withLock { state in
                defer { if isLast { Self.remove(file, &state.handle) } }
                do {
                    guard !state.hasFailed else { return false }
                    try state.handle?.synchronize()
                    try FileManager.default.linkItem(at: file, to: target)
                    return true
                } catch {
                    return false
                }
            }
        }

        func drop(_ file: URL) {
            self.state.withLock { state in Self.remove(file, &state.handle) }
        }

        private static func remove(_ file: URL, _ handle: inout FileHandle?) {
            try? handle?.close()
            handle = nil
            try? FileManager.default.removeItem(at: file)
        }
    }
}
