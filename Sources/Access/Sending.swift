/// An address in a message or an envelope that a client sends.
package struct ClaimedAddress: Hashable, Sendable {
    /// The parsed address; nil if no account can have it.
    package let address: Address?

    package init(_ octets: [UInt8]) {
        self.address = Address(octets)
    }
}

/// The originators that a message names: each address that a reader or a server may take for its
/// author.
package struct MessageAuthors: Equatable, Sendable {
    /// The address of MAIL FROM; nil for the null reverse-path `<>` (RFC 5321 §4.5.5).
    package var reversePath: ClaimedAddress?
    /// The addresses of From (RFC 5322 §3.6.2).
    package var from: [ClaimedAddress]
    /// The address of Sender (RFC 5322 §3.6.2).
    package var sender: ClaimedAddress?
    /// The addresses of every Resent-From and Resent-Sender (RFC 5322 §3.6.6).
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

/// The `Sender` field that the gateway writes into a message sent on behalf of another account.
package struct Signature: Equatable, Sendable {
    /// The primary address of the user's personal account.
    package let address: Address
    /// The user's display name in UTF-8; nil if none was set.
    package let name: [UInt8]?

    package init(address: Address, name: [UInt8]?) {
        self.address = address
        self.name = name
    }
}

/// The decision on an attempt to send.
package enum SendingVerdict: Equatable, Sendable {
    /// - Parameters:
    ///   - route: the account whose server and credential send the message.
    ///   - signature: the `Sender` that the gateway writes; nil if no `Sender` is required.
    case accepted(route: AccountID, signature: Signature?)
    case refused(SendingRefusal)
}

/// The rule that refused a message.
package enum SendingRefusal: Equatable, Sendable {
    /// The user may not send from the address of MAIL FROM.
    case reversePath
    /// From is empty, or names an address that the user may not send from.
    case from
    /// Sender names neither the user nor an address that the user may send as.
    case sender
    /// From has several addresses, and Sender is missing (RFC 5322 §3.6.2).
    case senderRequired
    /// A Resent field names an address that the user may not send from.
    case resent
    /// The reverse-path is null, and From does not name exactly one account.
    case noRoute
    /// The user sends on behalf of another account but owns none to name in `Sender`.
    case noOwnAddress
}

extension Snapshot {
    /// The account of an address, and the user's right to send from it; nil without such a right.
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

    /// Decides whether a user may send a message, and through which account.
    ///
    /// Pure: the same snapshot, message, user and time give the same answer.
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
        // A header has room for 20,000 copies of one address: decide each address once.
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

    /// The accounts whose Sent folders get a copy of a message that was sent.
    ///
    /// The accounts in From decide, except those that the user owns. An account is listed once, and
    /// not at all if its submission server has already filed the message.
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

    /// Whether a message is refused if a copy of it cannot be kept: an account in From that has
    /// copies filed, and is not the user's own, requires that.
    package func requiresSentCopy(of message: MessageAuthors, by user: UserID) -> Bool {
        message.from.contains { claimed in
            guard let account = claimed.address.flatMap({ self.account(address: $0) }) else {
                return false
            }
            return account.owner != user && account.sentCopy != .none && account.isSentCopyRequired
        }
    }

    /// The `Sender` of a user: the personal account's primary address and the user's name.
    /// - Returns: nil if the user owns no enabled account.
    package func signature(of user: UserID) -> Signature? {
        self.personalAccount(of: user).flatMap { self.accounts[$0] }.map {
            Signature(address: $0.address, name: self.users[user]?.name)
        }
    }

    /// The addresses of the enabled accounts that a user owns.
    package func ownAddresses(of user: UserID) -> [Address] {
        self.enabledAccounts(of: user).flatMap(\.addresses)
    }

    /// The folders of an account where a grant lets other users create folders, even if it has
    /// ended.
    ///
    /// Grants on the whole account are omitted: their users can read a filed message anywhere.
    package func partsWhereOthersCreate(in account: AccountID) -> [Scope] {
        let owner = self.accounts[account]?.owner.map { Subject.user($0) }
        return self.grants(on: account).filter {
            $0.rights.contains(.createMailbox) && $0.subject != owner && $0.scope != .account
        }.map(\.scope)
    }
}
