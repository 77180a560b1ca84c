import Access
import Foundation
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Delivers notifications to the INBOXes of account owners. A notification stays in the store until
/// its server has stored it. Its Message-ID contains a random token, so a repeated delivery finds
/// the message and does not store it twice.
final class OwnerNotifications: Sendable {
    /// The time between two delivery attempts to an account.
    private static let retryTime = TimeAmount.minutes(1)

    /// What the lock protects.
    private struct State {
        /// Nil before ``start(_:on:)`` and after ``stop()``.
        var upstream: UpstreamServices?
        /// Nil before ``start(_:on:)``.
        var group: (any EventLoopGroup)?
        /// Accounts with a running delivery; further notifications for them wait.
        var underWay: Set<AccountID> = []
        /// Accounts that wait for their next attempt.
        var suspended: Set<AccountID> = []
    }

    private let store: PermissionStore
    /// The right side of each Message-ID, and of the sender's address.
    private let hostName: String
    private let logger: Logger
    private let writer: BackgroundWriter
    private let state = Mutex(State())

    init(store: PermissionStore, hostName: String, writer: BackgroundWriter, logger: Logger) {
        self.writer = writer
        self.store = store
        self.hostName = hostName
        self.logger = logger
    }

    /// Begins to deliver.
    func start(_ upstream: UpstreamServices, on group: any EventLoopGroup) {
        self.state.withLock { state in
            state.upstream = upstream
            state.group = group
        }
        self.deliver()
    }

    /// Starts no further delivery.
    func stop() {
        self.state.withLock { $0.upstream = nil }
    }

    /// Looks for notifications in the store, on the background thread.
    func deliver() {
        self.writer.submit { [self] in
            for notice in (try? self.store.notices()) ?? [] { self.deliver(notice) }
        }
    }

    /// Delivers one notification, unless its account has a running delivery or waits.
    private func deliver(_ notice: Notice) {
        let found = self.state.withLock { state -> (UpstreamServices, any EventLoop)? in
            guard let upstream = state.upstream, let group = state.group,
                !state.suspended.contains(notice.account),
                state.underWay.insert(notice.account).inserted
            else { return nil }
            return (upstream, group.next())
        }
        guard let (upstream, loop) = found else { return }
        let snapshot = upstream.permissions.current
        guard let target = snapshot.endpoints[notice.account],
            let account = snapshot.access.accounts[notice.account]
        else { return self.done(notice, isDelivered: false, on: loop) }
        let messageID = Self.messageID(of: notice, at: self.hostName)
        let delivery = NoticeDelivery(
            messageID: ByteBuffer(string: messageID),
            message: self.message(notice, to: account.address.description, messageID: messageID)
        )
        ConversationConnection.run(
            delivery,
            at: ConversationServer(account: target, upstream: upstream),
            on: loop
        ) { outcome in
            self.done(notice, isDelivered: outcome == .delivered, on: loop)
        }
    }

    /// The Message-ID of a notification: `<notice-TOKEN@HOST>` (RFC 5322 §3.6.4).
    static func messageID(of notice: Notice, at hostName: String) -> String {
        let digits = Array("0123456789abcdef")
        let token = notice.token.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "<notice-\(String(token))@\(hostName)>"
    }

    /// A delivery has ended.
    /// - Parameter isDelivered: false also for an account that is gone.
    private func done(_ notice: Notice, isDelivered: Bool, on loop: any EventLoop) {
        self.writer.submit { [self] in
            // A notification that cannot be removed counts as failed: it would be found again at once.
            let isRemoved = isDelivered && self.remove(notice)
            let isNew = self.state.withLock { state in
                state.underWay.remove(notice.account)
                guard !isRemoved, state.upstream != nil else { return false }
                return state.suspended.insert(notice.account).inserted
            }
            if isRemoved { self.deliver() }
            guard isNew else { return }
            if !isDelivered {
                self.logger.warning(
                    "cannot deliver a message to an owner; the gateway tries again",
                    metadata: ["notice": "\(notice.id)"]
                )
            }
            loop.scheduleTask(in: Self.retryTime) {
                _ = self.state.withLock { $0.suspended.remove(notice.account) }
                self.deliver()
            }
        }
    }

    /// Removes a delivered notification from the store.
    private func remove(_ notice: Notice) -> Bool {
        do {
            try self.store.removeNotice(notice.id)
            return true
        } catch {
            self.logger.error(
                "a message to an owner was delivered, but cannot be removed from the store",
                metadata: ["notice": "\(notice.id)", "error": "\(error)"]
            )
            return false
        }
    }

    /// A message in the format of RFC 5322. Its text is in base64, so that it passes unchanged
    /// whatever names it contains.
    private func message(_ notice: Notice, to address: String, messageID: String) -> ByteBuffer {
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
