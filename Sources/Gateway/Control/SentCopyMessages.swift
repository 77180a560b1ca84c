/// A command's request about the copies of sent messages that wait for their Sent folder.
package struct SentCopyRequest: Codable, Equatable, Sendable {
    /// What to do with the copies.
    package enum Action: String, Codable, Sendable {
        /// Only say when each is tried again.
        case list
        /// Try to file them now.
        case retry
        /// Do not file the named one.
        case drop
    }

    package var action: Action
    /// The name of the copy; nil for all.
    package var name: String?

    package init(_ action: Action, name: String? = nil) {
        self.action = action
        self.name = name
    }
}

/// The answer to a ``SentCopyRequest``.
package struct SentCopyAnswer: Codable, Equatable, Sendable {
    /// An attempt to file a copy that is due later.
    package struct Attempt: Codable, Equatable, Sendable {
        /// The name of the copy.
        package var name: String
        /// Seconds until it is due.
        package var seconds: Int64
        /// Why the last attempt failed; nil if there was none.
        package var error: String?

        package init(name: String, seconds: Int64, error: String?) {
            self.name = name
            self.seconds = seconds
            self.error = error
        }
    }

    /// The attempts that are due later, after the request. A copy without one is being filed.
    package var attempts: [Attempt] = []
    /// The names of the copies that the request brought forward, or dropped.
    package var changed: [String] = []

    package init() {}
}
