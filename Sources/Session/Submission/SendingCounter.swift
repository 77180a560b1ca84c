package import Access
import NIOCore
import Synchronization

/// Counts what each user sent in the last hour, over all connections. Without this limit, a stolen password would
/// allow a spam run.
///
/// The hour is a sliding window of six parts of ten minutes. Gateways that share a store count
/// together (``SharedCounts``). Thread-safe.
package final class SendingCounter: Sendable {
    /// Limits on what one user sends.
    package struct Limits: Equatable, Sendable {
        /// Recipients of one message; the client learns this limit from EHLO (`LIMITS RCPTMAX`, RFC 9422).
        package var recipientsPerMessage: Int
        /// Messages whose header passed the permission check.
        package var messagesPerHour: Int
        /// Accepted and refused RCPT commands of permitted transactions.
        package var recipientsPerHour: Int

        package init(
            recipientsPerMessage: Int = 100,
            messagesPerHour: Int = 200,
            recipientsPerHour: Int = 1_000
        ) {
            self.recipientsPerMessage = recipientsPerMessage
            self.messagesPerHour = messagesPerHour
            self.recipientsPerHour = recipientsPerHour
        }
    }

    private static let partSeconds: Int64 = 600
    private static let parts: Int64 = 6

    /// Ten minutes of one user.
    private struct Part {
        /// The time in seconds, divided by ``partSeconds``.
        var number: Int64
        var messages = 0
        var recipients = 0
    }

    package let limits: Limits
    /// The parts of the last hour by user. An entry stays for each user who has ever sent.
    private let sent = Mutex<[UserID: [Part]]>([:])
    /// The counts of the other gateways; nil if the store has one gateway.
    private let shared: SharedCounts?

    /// - Parameter shared: The counts of the other gateways; nil if the store has one gateway.
    package init(limits: Limits, shared: SharedCounts? = nil) {
        self.limits = limits
        self.shared = shared
    }

    /// Whether the user may begin another message. Counts nothing.
    package func mayBegin(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            parts.reduce(0) { $0 + $1.messages } + self.others(.messages, user: user)
                < self.limits.messagesPerHour
        }
    }

    /// Counts another recipient.
    ///
    /// - Returns: false if the user has reached the limit; nothing is counted then.
    package func addRecipient(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            let known = parts.reduce(0) { $0 + $1.recipients }
            guard known + self.others(.recipients, user: user) < self.limits.recipientsPerHour
            else { return false }
            parts[parts.count - 1].recipients += 1
            self.share(parts[parts.count - 1], kind: .recipients, user: user, now: now)
            return true
        }
    }

    /// Withdraws a recipient that was counted: RCPT was sent ahead, and its transaction had ended before.
    ///
    /// - Parameter time: when the recipient was counted.
    package func removeRecipient(_ user: UserID, countedAt time: Moment, at now: Moment) {
        _ = self.count(user, now: now) { parts in
            let number = time.seconds / Self.partSeconds
            guard let index = parts.firstIndex(where: { $0.number == number }),
                parts[index].recipients > 0
            else { return false }
            parts[index].recipients -= 1
            self.share(parts[index], kind: .recipients, user: user, now: now)
            return true
        }
    }

    /// Counts another message.
    ///
    /// - Returns: false if the user has reached the limit; nothing is counted then.
    package func addMessage(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            let known = parts.reduce(0) { $0 + $1.messages }
            guard known + self.others(.messages, user: user) < self.limits.messagesPerHour
            else { return false }
            parts[parts.count - 1].messages += 1
            self.share(parts[parts.count - 1], kind: .messages, user: user, now: now)
            return true
        }
    }

    /// What the other gateways counted.
    private func others(_ kind: NodeCount.Kind, user: UserID) -> Int {
        self.shared?.others(kind, name: "\(user.rawValue)") ?? 0
    }

    /// Tells the other gateways of a changed part, which they count until it is an hour old.
    private func share(_ part: Part, kind: NodeCount.Kind, user: UserID, now: Moment) {
        guard let shared = self.shared else { return }
        let end = (part.number + Self.parts) * Self.partSeconds
        shared.set(
            kind == .messages ? part.messages : part.recipients,
            of: NodeCount.Row(kind, name: "\(user.rawValue)", part: part.number),
            lasting: .seconds(end - now.seconds)
        )
    }

    /// Removes parts that are older than an hour, and adds the current part.
    ///
    /// - Parameter change: gets the parts of the last hour; the last one is the current part.
    private func count(
        _ user: UserID,
        now: Moment,
        change: (inout [Part]) -> Bool
    ) -> Bool {
        let number = now.seconds / Self.partSeconds
        return self.sent.withLock { sent in
            var parts = (sent[user] ?? []).filter { $0.number > number - Self.parts }
            if parts.last?.number != number { parts.append(Part(number: number)) }
            defer { sent[user] = parts }
            return change(&parts)
        }
    }
}
