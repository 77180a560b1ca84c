import Access
import IMAP

/// The running command, and events for it.
extension ClientSession {
    /// The state machine of the running command; nil if none runs, and if the session itself
    /// executes a command.
    var command: (any RunningCommand)? {
        switch self.running {
        case .forwarding(let forwarding): forwarding
        case .selecting(let selecting): selecting
        case .listing(let listing): listing
        case .appending(let appending): appending
        case .transferring(let transferring): transferring
        case .idling(let idling): idling
        case .notifying(let notifying): notifying
        case .nothing, .authenticating, .awaitingSASLResponse, .negotiatingTLS,
            .discoveringCapabilities, .preparing, .subscribing, .changingACL, .ended:
            nil
        }
    }

    /// Delivers an event of an account's server to the running command. Each machine is called by
    /// its concrete type, which saves a dynamic dispatch for each response.
    ///
    /// - Returns: false if the event does not concern the command, or none runs.
    /// - Throws: an error if the server broke the protocol.
    mutating func deliver(
        _ event: UpstreamEvent,
        from account: AccountID
    ) throws(SyntaxError) -> Bool {
        switch self.running {
        case .forwarding(let forwarding):
            try forwarding.received(event, from: account, in: &self)
        case .selecting(let selecting):
            try selecting.received(event, from: account, in: &self)
        case .listing(let listing):
            try listing.received(event, from: account, in: &self)
        case .appending(let appending):
            try appending.received(event, from: account, in: &self)
        case .transferring(let transferring):
            try transferring.received(event, from: account, in: &self)
        case .idling(let idling):
            try idling.received(event, from: account, in: &self)
        case .notifying(let notifying):
            try notifying.received(event, from: account, in: &self)
        case .nothing, .authenticating, .awaitingSASLResponse, .negotiatingTLS,
            .discoveringCapabilities, .preparing, .subscribing, .changingACL, .ended:
            false
        }
    }

    /// Delivers an event for which no machine throws.
    mutating func delivers(_ event: UpstreamEvent, from account: AccountID) -> Bool {
        (try? self.deliver(event, from: account)) ?? false
    }
}

extension ClientSession: CommandContext {
    func upstream(of account: AccountID) -> Upstream? { self.upstreams[account] }

    mutating func perform(_ action: Action) {
        self.actions.append(action)
    }

    /// The command waits for nothing; it was answered, or will be dispatched again.
    mutating func leaveCommand() {
        self.running = .nothing
    }

    /// Sends the request to the journal once the server has closed the connection.
    mutating func leave(_ account: AccountID, then request: JournalRequest) {
        self.upstreams[account] = nil
        self.actions.append(.leaveUpstream(account, then: request))
    }

    mutating func pollLater() {
        self.isPollScheduled = true
        self.actions.append(.pollLater)
    }

    mutating func commandLeft(_ account: AccountID) {
        if !self.synchronizeNotify(account), self.selected?.account != account {
            self.requestFoldersForNotifications(of: account)
        }
    }
}
