import Access
import Gateway
import Store

/// A waiting copy of a sent message: an element of the JSON array of `sent list --json`.
struct WaitingCopyRow: Encodable, Equatable {
    /// What the gateway does with the copy.
    enum State: String, Encodable {
        /// The gateway tries later, or no gateway runs.
        case waiting
        /// The gateway files it at this moment.
        case filing
        /// Nobody knows whether its message went out: the gateway does not file it.
        case unknown
    }

    /// The name for `sent retry` and `sent drop`.
    var copy: String
    /// The primary address of the account whose Sent folder gets it; `account N` for one that was
    /// removed.
    var account: String
    /// When the message went out, in seconds since 1970; nil for a copy of another node.
    var since: Int64?
    /// The size of the message.
    var octets: UInt64
    /// The message's Message-ID.
    var messageID: String?
    var state: State
    /// Seconds until the gateway tries again.
    var seconds: Int64?
    /// Why it waits, if that is known.
    var error: String?
    /// Whether only the database that nodes share has it: another node files it.
    var elsewhere: Bool

    /// The copies of this node, oldest first, and those that other nodes have. Blocks.
    /// - Parameters:
    ///   - store: the store that names the accounts.
    ///   - answer: what the running gateway says; nil if none runs.
    ///   - refused: the credentials that it does not try.
    static func all(
        _ store: PermissionStore,
        gateway answer: SentCopyAnswer?,
        refused: [SuspendedCredential]
    ) throws -> [WaitingCopyRow] {
        let here = SentCopies.spooled(store: store.path)
        let names = Set(here.map(\.name))
        let waiting = try store.waitingSentCopies(after: 0)
        let unknown = try store.unknownSentCopies()
        guard !here.isEmpty || !waiting.isEmpty || !unknown.isEmpty else { return [] }
        let addresses = try store.addresses(
            of: Set(here.map { AccountID($0.account) } + (waiting + unknown).map(\.account))
        )
        func address(_ account: AccountID) -> String {
            addresses[account] ?? "account \(account.rawValue)"
        }
        let attempts = Dictionary(
            (answer?.attempts ?? []).map { ($0.name, $0) }
        ) { _, last in last }
        let refusals = Dictionary(
            refused.filter { $0.service == .imap }.map { ($0.account, $0) }
        ) { first, _ in first }
        let own = here.map { copy in
            WaitingCopyRow(
                copy,
                address: address(AccountID(copy.account)),
                attempt: attempts[copy.name],
                gatewayRuns: answer != nil,
                refused: refusals[copy.account]
            )
        }
        let others = [(waiting, State.waiting), (unknown, .unknown)].flatMap { copies, state in
            copies.filter { !names.contains($0.name) }.map { copy in
                WaitingCopyRow(
                    copy: copy.name,
                    account: address(copy.account),
                    octets: copy.octets,
                    messageID: copy.messageID,
                    state: state,
                    elsewhere: true
                )
            }
        }
        return own + others
    }

    /// The columns of the table.
    var cells: [String] {
        let next = self.seconds.map { $0 == 0 ? "now" : "again in \($0) s" }
        let state = [self.state.rawValue, next, self.elsewhere ? "at another node" : nil]
        return [
            self.copy, self.account, self.since.map(Output.date) ?? "-", "\(self.octets)",
            state.compactMap { $0 }.joined(separator: ", "), self.error ?? "-",
        ]
    }
}

extension WaitingCopyRow {
    /// The row of a copy of this node.
    init(
        _ copy: SpooledSentCopy,
        address: String,
        attempt: SentCopyAnswer.Attempt?,
        gatewayRuns: Bool,
        refused: SuspendedCredential?
    ) {
        self.copy = copy.name
        self.account = address
        self.since = copy.since
        self.octets = copy.octets
        self.messageID = copy.messageID
        self.elsewhere = false
        guard !copy.isUnknown else {
            self.state = .unknown
            self.error = "its gateway stopped before the mail server answered"
            return
        }
        self.state = gatewayRuns && attempt == nil ? .filing : .waiting
        self.seconds = attempt?.seconds
        if let refused {
            self.error = refused.explanation
        } else {
            self.error = attempt?.error ?? (gatewayRuns ? nil : "no gateway runs here")
        }
    }
}
