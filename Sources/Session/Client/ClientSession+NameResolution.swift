import Access
import IMAP

/// The mailbox that a client names, and what the user may do there.
extension ClientSession {
    /// What the user may do on an account, from the snapshot in force.
    mutating func access(to account: AccountID) -> AccountAccess {
        if let known = self.accesses[account],
            known.validUntil.map({ self.now < $0 }) ?? true
        {
            return known
        }
        let access = self.snapshot.access(of: self.user, to: account, at: self.now)
        self.accesses[account] = access
        return access
    }

    /// A mailbox that a command names, as far as the user may know of it.
    enum Resolved {
        case folder(AccountID, FolderPath, Rights)
        /// Listed without being a mailbox: a namespace or an account's root.
        case root
        /// Not there, or not for this user to know.
        case nowhere
    }

    mutating func resolve(_ mailbox: ClientMailbox) -> Resolved {
        guard let name = mailbox.name else { return .nowhere }
        switch self.namespace.place(of: name) {
        case .nowhere:
            return .nowhere
        case .root:
            return .root
        case .folder(let account, let folder):
            let rights = self.access(to: account).rights(in: folder)
            guard rights.contains(.lookup) else { return .nowhere }
            return .folder(account, folder, rights)
        }
    }

    /// The folder that a command names, if the user has the rights for it; else the refusal, which
    /// is the same for what is not there and for what the user may not see.
    mutating func require(
        _ rights: Rights,
        on mailbox: ClientMailbox
    ) -> Result<(AccountID, FolderPath, Rights), RefusedWith> {
        switch self.resolve(mailbox) {
        case .folder(let account, let folder, let held):
            guard held.contains(rights) else { return .failure(RefusedWith(.notPermitted)) }
            return .success((account, folder, held))
        case .root, .nowhere:
            return .failure(RefusedWith(.noSuchMailbox))
        }
    }

    /// A refusal and its answer.
    struct RefusedWith: Error {
        var text: ReplyText

        init(_ text: ReplyText) {
            self.text = text
        }
    }
}
