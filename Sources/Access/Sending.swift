/// An address that somebody claims to send as.
package struct ClaimedAddress: Equatable, Sendable {
    /// Nil for one that no account can have.
    package let address: Address?

    package init(_ octets: [UInt8]) {
        self.address = Address(octets)
    }
}

/// Who a message says it is from: each address that a reader or a server may take for its author.
package struct MessageAuthors: Equatable, Sendable {
    /// Nil for the null reverse-path.
    package var reversePath: ClaimedAddress?
    package var from: [ClaimedAddress]
    package var sender: ClaimedAddress?
    /// Of every Resent-From and Resent-Sender.
    package var resent: [ClaimedAddress]

    package init(
        reversePath: ClaimedAddress?,
        from: [ClaimedAddress],
        sender: ClaimedAddress? = nil,
        resent: [ClaimedAddress] = []
    ) {
        self.reversePath = reversePath
        self.from = from
        self.sender = sender
        self.resent = resent
    }
}

/// The answer to an attempt to send.
package enum SendingVerdict: Equatable, Sendable {
    /// - Parameters:
    ///   - route: the account whose server and credential carry the message.
    ///   - adding: the address for the `Sender:` that the gateway adds, if it has to.
    case accepted(route: AccountID, adding: Address?)
    case refused(SendingRefusal)
}

/// Which rule refused.
package enum SendingRefusal: Equatable, Sendable {
    case reversePath
    case from
    case sender
    /// More than one address in From, and no Sender.
    case senderRequired
    case resent
    /// The null reverse-path, and From names no account or more than one.
    case noRoute
    /// Sending on behalf by somebody who owns no account.
    case noOwnAddress
}

extension Snapshot {
    /// The account that an address belongs to, and how a user may send from it.
    package func send(
        as claimed: ClaimedAddress,
        by user: UserID,
        at moment: Moment
    ) -> (account: AccountID, right: SendRight)? {
        guard let address = claimed.address, let account = self.account(address: address) else {
            return nil
        }
        let right = self.access(of: user, to: account.id, at: moment).send
        return right == .none ? nil : (account.id, right)
    }

    /// The decision on a message. Pure: the same snapshot, user, message and moment give the same
    /// answer.
    package func sending(
        _ message: MessageAuthors,
        by user: UserID,
        at moment: Moment
    ) -> SendingVerdict {
        var route: AccountID?
        if let reversePath = message.reversePath {
            route = self.send(as: reversePath, by: user, at: moment)?.account
            guard route != nil else { return .refused(.reversePath) }
        }
        var accounts: Set<AccountID> = []
        var mustSign = false
        for claimed in message.from {
            guard let found = self.send(as: claimed, by: user, at: moment) else {
                return .refused(.from)
            }
            accounts.insert(found.account)
            mustSign = mustSign || found.right == .onBehalf
        }
        guard !accounts.isEmpty else { return .refused(.from) }
        for claimed in message.resent {
            guard let found = self.send(as: claimed, by: user, at: moment) else {
                return .refused(.resent)
            }
            mustSign = mustSign || found.right == .onBehalf
        }
        guard message.from.count == 1 || message.sender != nil else {
            return .refused(.senderRequired)
        }
        var adding: Address?
        if mustSign {
            guard let own = self.ownAddress(of: user) else { return .refused(.noOwnAddress) }
            if let sender = message.sender {
                guard sender.address == own else { return .refused(.sender) }
            } else {
                adding = own
            }
        } else if let sender = message.sender {
            let right = self.send(as: sender, by: user, at: moment)?.right
            guard right == .as else { return .refused(.sender) }
        }
        guard let way = route ?? (accounts.count == 1 ? accounts.first : nil) else {
            return .refused(.noRoute)
        }
        return .accepted(route: way, adding: adding)
    }

    /// The accounts in whose Sent folders a message is filed once it went out: as the accounts in
    /// From have it, for what others than their owners send. Never twice in one, and none in the
    /// account through which it went out, where its server files by itself.
    package func sentCopies(
        of message: MessageAuthors,
        by user: UserID,
        through route: AccountID
    ) -> [AccountID] {
        var targets: [AccountID] = []
        let personal = self.personalAccount(of: user)
        for claimed in message.from {
            guard let account = claimed.address.flatMap({ self.account(address: $0) }),
                account.owner != user
            else { continue }
            switch account.sentCopy {
            case .none: break
            case .owner: targets.append(account.id)
            case .sender: targets += [personal].compactMap { $0 }
            case .both: targets += [account.id, personal].compactMap { $0 }
            }
        }
        var seen: Set<AccountID> = []
        if self.accounts[route]?.filesSentMail ?? false { seen.insert(route) }
        return targets.filter { seen.insert($0).inserted }
    }

    /// The user's own primary address: the personal account's.
    private func ownAddress(of user: UserID) -> Address? {
        self.personalAccount(of: user).flatMap { self.accounts[$0] }?.address
    }
}
