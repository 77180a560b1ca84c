package import Access
import Synchronization

/// How much each user sent in the last hour, over all connections: a stolen password must not
/// become a spam run.
///
/// An hour is counted in six parts, so that it ends bit by bit.
package final class SendingCounter: Sendable {
    /// Bounds on one user's sending.
    package struct Limits: Equatable, Sendable {
        package var recipientsPerMessage: Int
        package var messagesPerHour: Int
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

    private struct Part {
        var number: Int64
        var messages = 0
        var recipients = 0
    }

    package let limits: Limits
    private let sent = Mutex<[UserID: [Part]]>([:])

    package init(limits: Limits) {
        self.limits = limits
    }

    /// Whether one more message may begin.
    package func mayBegin(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            parts.reduce(0) { $0 + $1.messages } < self.limits.messagesPerHour
        }
    }

    /// Counts one more recipient, if there may be one.
    package func addRecipient(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            guard parts.reduce(0, { $0 + $1.recipients }) < self.limits.recipientsPerHour else {
                return false
            }
            parts[parts.count - 1].recipients += 1
            return true
        }
    }

    /// Counts one more message, if there may be one.
    package func addMessage(_ user: UserID, at now: Moment) -> Bool {
        self.count(user, now: now) { parts in
            guard parts.reduce(0, { $0 + $1.messages }) < self.limits.messagesPerHour else {
                return false
            }
            parts[parts.count - 1].messages += 1
            return true
        }
    }

    /// - Parameter change: gets the parts of the last hour, of which the last is the present one.
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
