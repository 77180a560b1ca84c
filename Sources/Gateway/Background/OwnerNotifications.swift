import Access
import Foundation
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Messages for owners on their way into INBOXes. One stays in the store until its server has taken
/// it, and is known by a Message-ID that nobody can guess, so that it comes once.
final class OwnerNotifications: Sendable {
    private static let retryTime = TimeAmount.minutes(1)

    private struct State {
        var upstream: UpstreamServices?
        var group: (any EventLoopGroup)?
        /// Accounts to whose servers one is being delivered; the next waits.
        var underWay: Set<AccountID> = []
        /// Accounts whose next try is a while away.
        var resting: Set<AccountID> = []
    }

    private let store: PermissionStore
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

    func start(_ upstream: UpstreamServices, on group: any EventLoopGroup) {
        self.state.withLock { state in
            state.upstream = upstream
            state.group = group
        }
        self.deliver()
    }

    /// Delivers nothing more.
    func stop() {
        self.state.withLock { $0.upstream = nil }
    }

    /// Looks whether there are any.
    func deliver() {
        self.writer.submit { [self] in
            for notice in (try? self.store.notices()) ?? [] { self.deliver(notice) }
        }
    }

    private func deliver(_ notice: Notice) {
        let found = self.state.withLock { state -> (UpstreamServices, any EventLoop)? in
            guard let upstream = state.upstream, let group = state.group,
                !state.resting.contains(notice.account),
                state.underWay.insert(notice.account).inserted
            else { return nil }
            return (upstream, group.next())
        }
        guard let (upstream, loop) = found else { return }
        let published = upstream.permissions.current
        guard let target = published.endpoints[notice.account],
            let account = published.access.accounts[notice.account]
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

    static func messageID(of notice: Notice, at hostName: String) -> String {
        let digits = Array("0123456789abcdef")
        let token = notice.token.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "<notice-\(String(token))@\(hostName)>"
    }

    private func done(_ notice: Notice, isDelivered: Bool, on loop: any EventLoop) {
        self.writer.submit { [self] in
            // One that stays in the store would be found again at once.
            let isRemoved = isDelivered && self.remove(notice)
            let rests = self.state.withLock { state in
                state.underWay.remove(notice.account)
                guard !isRemoved, state.upstream != nil else { return false }
                return state.resting.insert(notice.account).inserted
            }
            if isRemoved { self.deliver() }
            guard rests else { return }
            if !isDelivered {
                self.logger.warning(
                    "a message for an owner cannot be delivered now",
                    metadata: ["notice": "\(notice.id)"]
                )
            }
            loop.scheduleTask(in: Self.retryTime) {
                _ = self.state.withLock { $0.resting.remove(notice.account) }
                self.deliver()
            }
        }
    }

    private func remove(_ notice: Notice) -> Bool {
        do {
            try self.store.removeNotice(notice.id)
            return true
        } catch {
            self.logger.error(
                "a message for an owner was delivered, and cannot be taken from the store",
                metadata: ["notice": "\(notice.id)", "error": "\(error)"]
            )
            return false
        }
    }

    /// RFC 5322, with a text in base64, so that it passes as it is whatever names are in it.
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
