import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
import Session
import Store
import Synchronization

/// Messages for owners on their way into INBOXes. One stays in the store until its server has taken
/// it, and is known by its Message-ID, so that it comes once.
final class Notices: Sendable {
    private static let retryTime = TimeAmount.minutes(1)

    private struct State {
        var environment: Environment?
        var group: (any EventLoopGroup)?
        /// Accounts to whose servers one is being delivered; the next waits.
        var underWay: Set<AccountID> = []
        var isRetrying = false
    }

    private let store: PermissionStore
    private let hostName: String
    private let logger: Logger
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())

    init(store: PermissionStore, hostName: String, logger: Logger) {
        self.store = store
        self.hostName = hostName
        self.logger = logger
    }

    func start(_ environment: Environment, on group: any EventLoopGroup) {
        self.pool.start()
        self.state.withLock { state in
            state.environment = environment
            state.group = group
        }
        self.deliver()
    }

    func stop() async throws {
        self.state.withLock { $0.environment = nil }
        try await self.pool.shutdownGracefully()
    }

    /// Looks whether there are any.
    func deliver() {
        self.pool.submit { [self] _ in
            for notice in (try? self.store.notices()) ?? [] { self.deliver(notice) }
        }
    }

    private func deliver(_ notice: Notice) {
        let found = self.state.withLock { state -> (Environment, any EventLoop)? in
            guard let environment = state.environment, let group = state.group,
                !state.isRetrying, state.underWay.insert(notice.account).inserted
            else { return nil }
            return (environment, group.next())
        }
        guard let (environment, loop) = found else { return }
        let published = environment.permissions.current
        guard let target = published.endpoints[notice.account],
            let account = published.access.accounts[notice.account]
        else { return self.done(notice, isDelivered: false, on: loop) }
        let messageID = "<notice-\(notice.id)-\(notice.created.seconds)@\(self.hostName)>"
        let delivery = NoticeDelivery(
            messageID: ByteBuffer(string: messageID),
            message: self.message(notice, to: account.address.description, messageID)
        )
        ConversationConnection.run(delivery, target, environment, self.pool, on: loop) { outcome in
            self.done(notice, isDelivered: outcome == .delivered, on: loop)
        }
    }

    private func done(_ notice: Notice, isDelivered: Bool, on loop: any EventLoop) {
        self.pool.submit { [self] _ in
            if isDelivered { try? self.store.removeNotice(notice.id) }
            let retries = self.state.withLock { state in
                state.underWay.remove(notice.account)
                guard !isDelivered, !state.isRetrying, state.environment != nil else {
                    return false
                }
                state.isRetrying = true
                return true
            }
            if isDelivered { self.deliver() }
            guard retries else { return }
            self.logger.warning(
                "a message for an owner cannot be delivered now",
                metadata: ["notice": "\(notice.id)"]
            )
            loop.scheduleTask(in: Self.retryTime) {
                self.state.withLock { $0.isRetrying = false }
                self.deliver()
            }
        }
    }

    /// RFC 5322, with a text in base64, so that it passes as it is whatever names are in it.
    private func message(_ notice: Notice, to address: String, _ messageID: String) -> ByteBuffer {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        let date = Date(timeIntervalSince1970: TimeInterval(notice.created.seconds))
        let text = Data((notice.text.replacing("\n", with: "\r\n") + "\r\n").utf8)
        let lines = [
            "Date: \(formatter.string(from: date))", "From: Gatepost <gatepost@\(self.hostName)>",
            "To: <\(address)>", "Subject: \(notice.subject)", "Message-ID: \(messageID)",
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
            text.base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn])
                .replacing("\r\n", with: "\r").replacing("\r", with: "\r\n"),
        ]
        return ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n")
    }
}
