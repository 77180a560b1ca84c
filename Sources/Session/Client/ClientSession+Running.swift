import Access
import IMAP

/// The command that runs, and what happens to it.
extension ClientSession {
    /// The command that runs; nil while none does, and while the session itself carries one out.
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

    /// Tells the command that runs what happened at an account's server. Each machine is called by its own
    /// type, so that nothing is looked up at run time for each response.
    ///
    /// - Returns: false where it does not concern the command, or none runs.
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

    /// The same for what no machine throws at.
    mutating func delivers(_ event: UpstreamEvent, from account: AccountID) -> Bool {
        (try? self.deliver(event, from: account)) ?? false
    }
}

extension ClientSession: CommandContext {
    func upstream(of account: AccountID) -> Upstream? { self.upstreams[account] }

    mutating func perform(_ action: Action) {
        self.actions.append(action)
    }

    mutating func leaveCommand() {
        self.running = .nothing
    }

    mutating func leave(_ account: AccountID, then request: JournalRequest) {
        self.upstreams[account] = nil
        self.actions.append(.leaveUpstream(account, then: request))
    }

    mutating func pollLater() {
        self.isPollScheduled = true
        self.actions.append(.pollLater)
    }

    mutating func commandLeft(_ account: AccountID) {
        if !self.bringInStep(account), self.selected?.account != account {
            self.requestFoldersForNews(of: account)
        }
    }
}
