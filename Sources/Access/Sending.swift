/// An address that somebody claims to send as.
package struct ClaimedAddress: Hashable, Sendable {
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

/// Who sends on behalf of another, as the gateway shows it.
package struct Signature: Equatable, Sendable {
    /// The user's own primary address.
    package let address: Address
    /// The name that the gateway knows the user by, in UTF-8.
    package let name: [UInt8]?

    package init(address: Address, name: [UInt8]?) {
        self.address = address
        self.name = name
    }
}

/// The answer to an attempt to send.
package enum SendingVerdict: Equatable, Sendable {
    /// - Parameters:
    ///   - route: the account whose server and credential carry the message.
    ///   - signature: what the gateway has `Sender:` say; nil where nothing needs to show who sent it.
    case accepted(route: AccountID, signature: Signature?)
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
        // A header has room for twenty thousand times the same address: each costs a decision once.
        for claimed in Set(message.from) {
            guard let found = self.send(as: claimed, by: user, at: moment) else {
                return .refused(.from)
            }
            accounts.insert(found.account)
            mustSign = mustSign || found.right == .onBehalf
        }
        guard !accounts.isEmpty else { return .refused(.from) }
        for claimed in Set(message.resent) {
            guard let found = self.send(as: claimed, by: user, at: moment) else {
                return .refused(.resent)
            }
            mustSign = mustSign || found.right == .onBehalf
        }
        guard message.from.count == 1 || message.sender != nil else {
            return .refused(.senderRequired)
        }
        var signature: Signature?
        if mustSign {
            signature = self.signature(of: user)
            guard let own = signature?.address else { return .refused(.noOwnAddress) }
            guard message.sender?.address ?? own == own else { return .refused(.sender) }
        } else if let sender = message.sender {
            let right = self.send(as: sender, by: user, at: moment)?.right
            guard right == .as else { return .refused(.sender) }
        }
        guard let way = route ?? (accounts.count == 1 ? accounts.first : nil) else {
            return .refused(.noRoute)
        }
        return .accepted(route: way, signature: signature)
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

    /// The primary address of the user's personal account, with the user's name; nil without an account.
    package func signature(of user: UserID) -> Signature? {
        self.personalAccount(of: user).flatMap { self.accounts[$0] }.map {
            Signature(address: $0.address, name: self.users[user]?.name)
        }
    }

    /// Every address of the accounts that the user owns.
    package func ownAddresses(of user: UserID) -> [Address] {
        self.accounts.values.filter { $0.owner == user && !$0.isDisabled }
            .flatMap { [$0.address] + $0.aliases }
    }

    /// Parts of an account in which others than its owner have been given the right to create folders,
    /// be it over by now. Who has it in the whole account reads what is filed wherever that is.
    package func partsWhereOthersCreate(in account: AccountID) -> [Scope] {
        let owner = self.accounts[account]?.owner.map { Subject.user($0) }
        return (self.grants[account] ?? []).filter {
            $0.rights.contains(.createMailbox) && $0.subject != owner && $0.scope != .account
        }.map(\.scope)
    }
}
